use approx::assert_relative_eq;

use super::super::simulate::{draw, holds, rng};
use super::*;
use crate::inference::bootstrap::Bootstrap;

const AT: f64 = 0.95;

fn group(segments: usize, rows: &[f64]) -> SegmentCounts {
    SegmentCounts { segments, cells: rows.iter().map(|n| Cell::of_rows(*n)).collect(), unassigned: Cell::default() }
}

#[test]
fn rates_of_moves_add_up() {
    let moves = group(3, &[8.0, 3.0, 1.0, 4.0, 9.0, 2.0, 0.0, 5.0, 10.0]);
    let confidence = Confidence::at(AT);
    let value = |of: fn(&SegmentCounts, Confidence) -> Estimate| of(&moves, confidence).value.unwrap();
    assert_relative_eq!(value(upgrade_rate), 6.0 / 42.0, epsilon = 1e-12);
    assert_relative_eq!(value(downgrade_rate), 9.0 / 42.0, epsilon = 1e-12);
    assert_relative_eq!(value(upgrade_rate) + value(downgrade_rate) + value(retention_rate), 1.0, epsilon = 1e-12);
    assert_relative_eq!(value(top_segment_exit_rate), 5.0 / 15.0, epsilon = 1e-12);
    for row in transitions(&moves, confidence) {
        assert_relative_eq!(row.iter().map(|e| e.value.unwrap()).sum::<f64>(), 1.0, epsilon = 1e-12);
    }
    let measured = stayed(&moves, confidence);
    assert!(measured.plain && measured.share.unwrap().x == 27.0 && measured.share.unwrap().n == 42.0);
}

#[test]
fn nasty_moves_have_reasons() {
    let confidence = Confidence::at(AT);
    let none = group(2, &[0.0; 4]);
    let no_top = group(2, &[3.0, 4.0, 0.0, 0.0]);
    let classless = group(2, &[3.0, 4.0]);
    assert_eq!(retention_rate(&none, confidence).value(), Err(Undefined::NoRows));
    assert_eq!(retention_rate(&classless, confidence).value(), Err(Undefined::NoClasses));
    assert_eq!(top_segment_exit_rate(&no_top, confidence).value(), Err(Undefined::NobodyInSegment));
    assert_eq!(top_segment_exit_rate(&SegmentCounts::default(), confidence).value(), Err(Undefined::NoRows));
    assert_eq!(transitions(&no_top, confidence)[1][0].value(), Err(Undefined::NobodyInSegment));
    assert!(transitions(&SegmentCounts::default(), confidence).is_empty());
    let only_top = group(2, &[0.0, 0.0, 5.0, 6.0]);
    let reason = |a, b| flow_total_variation(a, b, confidence).estimate.reason;
    assert_eq!(reason(&no_top, &only_top), Some(Undefined::NoOverlap));
    assert_eq!(reason(&no_top, &none), Some(Undefined::NoRows));
    assert_eq!(flow_homogeneity(&[&no_top, &only_top], confidence).estimate.reason, Some(Undefined::NoOverlap));
    assert_eq!(flow_homogeneity(&[], confidence).estimate.reason, Some(Undefined::NoRows));
    let still = group(2, &[5.0, 0.0, 0.0, 6.0]);
    assert_eq!(flow_homogeneity(&[&still, &still], confidence).estimate.reason, Some(Undefined::NoVariation));
    assert_eq!(flow_total_variation(&still, &still, confidence).estimate.value, Some(0.0));
}

#[test]
fn one_origin_is_total_variation_and_names_do_not_matter() {
    let confidence = Confidence::at(AT);
    let (a, b) = (group(3, &[30.0, 50.0, 20.0]), group(3, &[60.0, 30.0, 10.0]));
    let flow = flow_total_variation(&a, &b, confidence).estimate;
    let plain = super::super::divergence::total_variation(&a, &b, confidence).estimate;
    assert_relative_eq!(flow.value.unwrap(), plain.value.unwrap(), epsilon = 1e-12);
    let (a, b) = (group(2, &[20.0, 20.0, 5.0, 15.0]), group(2, &[10.0, 30.0, 7.0, 13.0]));
    let turned = |g: &SegmentCounts| SegmentCounts { cells: g.cells.iter().rev().copied().collect(), ..g.clone() };
    let (t, u) = (flow_total_variation(&a, &b, confidence), flow_total_variation(&turned(&a), &turned(&b), confidence));
    assert_relative_eq!(t.estimate.value.unwrap(), u.estimate.value.unwrap(), epsilon = 1e-12);
    let (t, u) = (flow_homogeneity(&[&a, &b], confidence), flow_homogeneity(&[&turned(&b), &turned(&a)], confidence));
    assert_relative_eq!(t.p_value.unwrap(), u.p_value.unwrap(), epsilon = 1e-12);
}

#[test]
fn intervals_hold_what_is_there_and_fair_moves_are_rarely_accused() {
    let stay: [&[f64]; 3] = [&[0.8, 0.15, 0.05], &[0.2, 0.6, 0.2], &[0.05, 0.25, 0.7]];
    let sink: [&[f64]; 3] = [&[0.9, 0.08, 0.02], &[0.4, 0.5, 0.1], &[0.05, 0.25, 0.7]];
    let confidence = Confidence { bootstrap: Bootstrap { replicates: 200, seed: 1 }, ..Confidence::at(AT) };
    let mut rng = rng(12);
    for (sizes, tables) in
        [([200, 100], [stay, stay]), ([200, 100], [stay, sink]), ([15, 12], [stay, stay]), ([40, 30], [stay, sink])]
    {
        let of = |rows: Vec<f64>| group(3, &rows);
        let exact =
            [0, 1].map(|i| of(tables[i].iter().flat_map(|s| s.iter().map(|p| p * 1e6 * sizes[i] as f64)).collect()));
        let truth = flow_total_variation(&exact[0], &exact[1], confidence).estimate.value.unwrap();
        let (rounds, mut covered, mut accused, mut tested) = (400, 0.0, 0.0, 0.0);
        for _ in 0..rounds {
            let [a, b] = [0, 1].map(|i| of(tables[i].iter().flat_map(|s| draw(&mut rng, sizes[i], s)).collect()));
            let t = flow_total_variation(&a, &b, confidence);
            covered += f64::from(u8::from(holds(&t.estimate, truth))) / f64::from(rounds);
            accused += f64::from(u8::from(t.p_value.unwrap() < 0.05)) / f64::from(rounds);
            let p = flow_homogeneity(&[&a, &b], confidence).p_value;
            tested += f64::from(u8::from(p.is_some_and(|p| p < 0.05))) / f64::from(rounds);
        }
        assert!(covered > 0.915, "{sizes:?}: covers {covered}");
        assert!(truth > 1e-9 || (accused < 0.085 && tested < 0.085), "{sizes:?}: accuses {accused} {tested}");
        assert!(
            truth < 1e-9 || sizes[0] < 100 || (accused > 0.5 && tested > 0.5),
            "{sizes:?}: finds {accused} {tested}"
        );
    }
}
