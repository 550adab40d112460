//! Forecasts of a number: errors of scores against a target, from rows to the report, however the rows are shared out.

use evenhand::audit::{AuditPlan, Comparison, Policy};
use evenhand::data::{Batch, Categorical};
use evenhand::report::Report;
use evenhand::tally::{Accumulator, Limits, Tally};

/// A person: group, target, score, weight.
type Row = (&'static str, Option<f64>, Option<f64>, f64);

/// Spend of three groups, forecast with another bias and spread in each; some of either are missing.
fn rows() -> Vec<Row> {
    let unit = |i: usize, a: usize| ((i * a + 17) % 101) as f64 / 101.0;
    (0..400)
        .map(|i| {
            let group = ["a", "b", "b", "c"][i % 4];
            let spend = 1000.0 + 300.0 * unit(i, 37);
            let off = match group {
                "a" => 5.0 * (unit(i, 53) - 0.5),
                "b" => 20.0 * (unit(i, 71) - 0.3),
                _ => 60.0 * (unit(i, 29) - 0.5),
            };
            let known = |every: usize, value: f64| (!i.is_multiple_of(every)).then_some(value);
            (group, known(37, spend), known(53, spend + off), 0.5 + unit(i, 83))
        })
        .collect()
}

fn batch(rows: &[Row], weighted: bool) -> Batch<'static> {
    let builder = Batch::builder()
        .attribute(Categorical::from_values("group", rows.iter().map(|r| r.0)))
        .target(&rows.iter().map(|r| r.1).collect::<Vec<_>>())
        .score(&rows.iter().map(|r| r.2).collect::<Vec<_>>());
    let weights = || rows.iter().map(|r| r.3).collect::<Vec<f64>>();
    if weighted { builder.weight(weights()).build().unwrap() } else { builder.build().unwrap() }
}

fn audit(tally: &Tally) -> Report {
    AuditPlan::new().replicates(10).evaluate(tally).unwrap()
}

/// Mean error, mean absolute error, root of the mean squared error, R² and correlation, from the rows.
fn by_hand(rows: &[Row], group: &str, weighted: bool) -> [f64; 5] {
    let of: Vec<(f64, f64, f64)> = rows
        .iter()
        .filter(|r| r.0 == group)
        .filter_map(|r| Some((r.1?, r.2?, if weighted { r.3 } else { 1.0 })))
        .collect();
    let mean = |f: &dyn Fn(f64, f64) -> f64| {
        of.iter().map(|(y, p, w)| w * f(*y, *p)).sum::<f64>() / of.iter().map(|r| r.2).sum::<f64>()
    };
    let (y_mean, p_mean) = (mean(&|y, _| y), mean(&|_, p| p));
    let square = mean(&|y, p| (p - y).powi(2));
    let (vy, vp) = (mean(&|y, _| (y - y_mean).powi(2)), mean(&|_, p| (p - p_mean).powi(2)));
    let together = mean(&|y, p| (y - y_mean) * (p - p_mean));
    [mean(&|y, p| p - y), mean(&|y, p| (p - y).abs()), square.sqrt(), 1.0 - square / vy, together / (vy * vp).sqrt()]
}

const MEASURES: [&str; 5] = ["mean_error", "mean_absolute_error", "root_mean_squared_error", "r2", "correlation"];

#[test]
fn errors_are_of_the_target() {
    for weighted in [false, true] {
        let report = audit(&Tally::of(&batch(&rows(), weighted)).unwrap());
        for group in ["a", "b", "c"] {
            let expected = by_hand(&rows(), group, weighted);
            for (measure, expected) in MEASURES.into_iter().zip(expected) {
                let found = report.metric(measure).unwrap().group_of("group", group).unwrap();
                let value = found.value.unwrap();
                assert!((value / expected - 1.0).abs() < 1e-9, "{measure} of {group}: {value} for {expected}");
                let (low, high) = found.interval().unwrap();
                assert!(low <= value && value <= high && high > low, "{measure} of {group}");
                // Where something is missing the row is not one of the forecasts.
                let known = rows().iter().filter(|r| r.0 == group && r.1.is_some() && r.2.is_some()).count();
                assert_eq!(found.support.rows, known as f64);
            }
        }
        // Groups are compared as by any figure, with all others too.
        let others: Vec<Row> = rows().into_iter().filter(|r| r.0 != "a").map(|r| ("rest", r.1, r.2, r.3)).collect();
        let [own, rest] = [by_hand(&rows(), "a", weighted)[2], by_hand(&others, "rest", weighted)[2]];
        let rest_plan = AuditPlan::new().replicates(10).policy(against_rest());
        let against = rest_plan.evaluate(&Tally::of(&batch(&rows(), weighted)).unwrap()).unwrap();
        let found = against.models[0].table("group").unwrap().disparities.iter().find(|d| {
            (&*d.metric, d.group.as_deref(), &*d.against) == ("root_mean_squared_error", Some("a"), "rest")
                && d.comparison == Comparison::Difference
        });
        let found = found.unwrap().estimate.value.unwrap();
        assert!((found - (own - rest)).abs() < 1e-9, "{found} for {}", own - rest);
        let table = report.models[0].table("group").unwrap();
        assert!(table.disparities.iter().any(|d| d.metric == "root_mean_squared_error" && d.estimate.value.is_some()));
    }
}

fn against_rest() -> Policy {
    let text = "[[criteria]]\nmetric = \"root_mean_squared_error\"\ncomparison = \"difference\"\nagainst = \"rest\"\nmaximum = 1.0\n";
    Policy::from_toml(text).unwrap()
}

fn near(a: &Report, b: &Report) {
    for group in ["a", "b", "c"] {
        for measure in MEASURES {
            let value = |r: &Report| r.metric(measure).unwrap().group_of("group", group).unwrap().value.unwrap();
            assert!((value(a) / value(b) - 1.0).abs() < 1e-9, "{measure} of {group}: {} {}", value(a), value(b));
        }
    }
}

#[test]
fn parts_merge_subtract_and_are_kept() {
    let all = rows();
    for weighted in [false, true] {
        let whole = Tally::of(&batch(&all, weighted)).unwrap();
        let [first, second] = [&all[..150], &all[150..]].map(|part| Tally::of(&batch(part, weighted)).unwrap());
        let mut merged = second.clone();
        merged.merge(&first).unwrap();
        near(&audit(&whole), &audit(&merged));
        merged.subtract(&first).unwrap();
        near(&audit(&second), &audit(&merged));
        assert!(merged.subtract(&first).is_err());

        // In chunks.
        let mut chunks = Accumulator::new(Limits::default());
        let levels = ["c", "a", "b"];
        for part in all.chunks(60) {
            let codes: Vec<u8> = part.iter().map(|r| levels.iter().position(|l| *l == r.0).unwrap() as u8).collect();
            let group = Categorical::from_codes("group", levels, codes).unwrap();
            let builder = Batch::builder()
                .attribute(group)
                .target(&part.iter().map(|r| r.1).collect::<Vec<_>>())
                .score(&part.iter().map(|r| r.2).collect::<Vec<_>>());
            let weights: Vec<f64> = part.iter().map(|r| r.3).collect();
            let builder = if weighted { builder.weight(weights) } else { builder };
            chunks.update(&builder.build().unwrap()).unwrap();
        }
        near(&audit(&whole), &audit(&chunks.finish().unwrap().unwrap()));

        let text = whole.to_json().unwrap();
        let again = Tally::from_json(&text).unwrap();
        assert_eq!(again, whole);
        assert_eq!(again.digest(), whole.digest());
        assert_ne!(first.digest(), whole.digest());
    }
}

#[test]
fn many_groups_have_their_own_errors() {
    // More cells than are laid out in full.
    let n = 3_000usize;
    let code = |i: usize, a: usize| (i * a) % 997;
    let column = |name: &str, a: usize| {
        Categorical::from_values(name, (0..n).map(|i| format!("{name}{}", code(i, a) % 700)).collect::<Vec<_>>())
    };
    let target: Vec<f64> = (0..n).map(|i| (i % 50) as f64).collect();
    let score: Vec<f64> = (0..n).map(|i| (i % 50) as f64 + (code(i, 1) % 700) as f64 / 100.0).collect();
    let batch = Batch::builder()
        .attribute(column("x", 1))
        .attribute(column("y", 7))
        .attribute(column("z", 31))
        .target(&target)
        .score(&score)
        .build()
        .unwrap();
    let report = AuditPlan::new().order(1).replicates(10).evaluate(&Tally::of(&batch).unwrap()).unwrap();
    let found = report.metric("mean_error").unwrap();
    for level in [0, 7, 350, 699] {
        let value = found.group_of("x", &format!("x{level}")).unwrap().value.unwrap();
        assert!((value - level as f64 / 100.0).abs() < 1e-9, "{level}: {value}");
    }
}

#[test]
fn slips_are_named() {
    let of = |builder: evenhand::data::BatchBuilder<'static>| builder.build().unwrap_err().to_string();
    let sex = || Categorical::from_values("sex", ["f", "m"]);
    let slip = of(Batch::builder().attribute(sex()).label([0, 1]).target([1.0, 2.0]));
    assert!(slip.contains("target") && slip.contains("score"), "{slip}");
    let slip = of(Batch::builder().attribute(sex()).score([0.1, 0.2]).target([1.0]));
    assert!(slip.contains("`target` has 1 rows"), "{slip}");
    let slip = of(Batch::builder().attribute(sex()).score([0.1, 0.2]).target([1.0, f64::NAN]));
    assert!(slip.contains("`target`") && slip.contains("row 2"), "{slip}");
    let with = Tally::of(&batch(&rows(), false)).unwrap();
    let without = Batch::builder().attribute(Categorical::from_values("group", ["a"])).score([1.0]).build().unwrap();
    let slip = Tally::of(&without).unwrap().merge(&with).unwrap_err().to_string();
    assert!(slip.contains("target"), "{slip}");
    // What was stored is checked.
    let text = with.to_json().unwrap();
    let at = text.find("\"missing\":").unwrap();
    let end = at + text[at..].find(',').unwrap();
    let damaged = format!("{}\"missing\":77.0{}", &text[..at], &text[end..]);
    assert!(Tally::from_json(&damaged).unwrap_err().to_string().contains("errors of forecasts"));
}

#[cfg(feature = "csv")]
#[test]
fn files_in_chunks_are_read_alike() {
    use evenhand::data::{Columns, source::Source};

    // A level that comes late makes room for itself among groups that have errors already.
    let mut all = rows();
    all.sort_by_key(|r| r.0);
    let text = |v: Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
    let lines = all.iter().map(|r| format!("{},{},{},{}\n", r.0, text(r.1), text(r.2), r.3));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spend.csv");
    std::fs::write(&path, format!("group,spend,predicted,weight\n{}", lines.collect::<String>())).unwrap();
    let columns =
        Columns::new().attribute("group".parse().unwrap()).score("predicted").target("spend").weight("weight");
    let expected = audit(&Tally::of(&batch(&all, true)).unwrap());
    for rows in [16, 1000] {
        let source = Source::open(&[&path]).unwrap().chunk_rows(rows);
        let report = AuditPlan::new().columns(columns.clone()).replicates(10).audit_files(&source).unwrap();
        near(&expected, &report);
    }
    let lost = Columns::new().attribute("group".parse().unwrap()).label("spend").target("spend");
    let slip = AuditPlan::new().columns(lost).audit_files(&Source::open(&[&path]).unwrap()).unwrap_err().to_string();
    assert!(slip.contains("target") && slip.contains("score"), "{slip}");
    // A statement that counts where the data live cannot sum powers as rows do.
    let plan = AuditPlan::new().columns(columns);
    let table = "customers".parse().unwrap();
    let slip = evenhand::engine::sql(&plan, &table, evenhand::engine::Dialect::DuckDb).unwrap_err().to_string();
    assert!(slip.contains("`spend`") && slip.contains("read the rows"), "{slip}");
}
