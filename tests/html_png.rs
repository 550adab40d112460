//! Charts as PNG: sound files of the size asked for, in which something is drawn.
#![cfg(feature = "png")]

#[allow(dead_code)]
#[path = "report_forms/sample.rs"]
mod sample;

use evenhand::Error;

/// The width and height that a PNG says it has.
fn size(png: &[u8]) -> [u32; 2] {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(&png[12..16], b"IHDR");
    [16, 20].map(|at| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()))
}

#[test]
fn every_kind_of_chart_is_drawn() {
    for report in [sample::full(), sample::scored(), sample::cuts(), sample::hostile()] {
        for chart in report.charts().into_iter().take(14) {
            let png = match report.to_png(&chart, 1.0) {
                // A machine without any font says so.
                Err(Error::Nothing { problem, .. }) => {
                    assert!(problem.contains("font"), "{problem}");
                    return;
                }
                drawn => drawn.unwrap_or_else(|e| panic!("{chart}: {e}")),
            };
            let svg = report.to_svg(&chart).unwrap();
            let side =
                |name: &str| svg.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse();
            let sides: [u32; 2] = ["width", "height"].map(|name| side(name).unwrap());
            assert_eq!(size(&png), sides, "{chart}");
            // An empty picture of that size has a few hundred bytes.
            assert!(png.len() > 4_000, "{chart}: {}", png.len());
            assert_eq!(png, report.to_png(&chart, 1.0).unwrap(), "{chart}");
        }
    }
    let report = sample::full();
    let twice = report.to_png("findings", 2.0).unwrap();
    assert_eq!(size(&twice), size(&report.to_png("findings", 1.0).unwrap()).map(|side| 2 * side));
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    let report = sample::full();
    assert!(matches!(report.to_png("nothing", 1.0), Err(Error::Unknown { .. })));
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e9, 1e-9] {
        assert!(
            matches!(report.to_png("findings", scale), Err(Error::BadSetting { .. } | Error::Nothing { .. })),
            "{scale}"
        );
    }
}
