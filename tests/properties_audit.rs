//! What holds for every batch, however nasty.

mod small;

use std::collections::BTreeMap;

use evenhand::audit::{Against, AuditPlan, Comparison, Criterion, Policy, Reference};
use evenhand::data::{Batch, Categorical, Model};
use evenhand::metrics::{Estimate, catalog};
use evenhand::report::{AttributeTable, Report};
use proptest::prelude::*;

/// A row: levels of two attributes and a stratum (`None`: missing), label and decision (2: unknown), score and weight.
#[derive(Debug, Clone, Copy)]
struct Row {
    group: Option<u8>,
    band: Option<u8>,
    region: Option<u8>,
    label: u8,
    decision: u8,
    score: Option<f64>,
    weight: f64,
}

/// Weights and scores are multiples of 1/16: their sums are exact, in whatever order.
fn row() -> impl Strategy<Value = Row> {
    let level = |n: u8| prop_oneof![5 => (0..n).prop_map(Some), 1 => Just(None)];
    let code = prop_oneof![5 => Just(0u8), 5 => Just(1u8), 1 => Just(2u8)];
    let score = prop_oneof![9 => (0..=16u8).prop_map(|s| Some(f64::from(s) / 16.0)), 1 => Just(None)];
    let weight = prop_oneof![4 => Just(1.0), 1 => Just(0.0), 4 => (1..64u8).prop_map(|w| f64::from(w) / 16.0)];
    (level(3), level(2), level(2), code.clone(), code, score, weight).prop_map(
        |(group, band, region, label, decision, score, weight)| Row {
            group,
            band,
            region,
            label,
            decision,
            score,
            weight,
        },
    )
}

fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 1..most)
}

/// What of the rows is in the batch.
#[derive(Debug, Clone, Copy)]
struct Shape {
    weighted: bool,
    scored: bool,
    stratified: bool,
}

const PLAIN: Shape = Shape { weighted: false, scored: false, stratified: false };
const FULL: Shape = Shape { weighted: true, scored: true, stratified: true };

const GROUPS: [&str; 3] = ["a", "b", "c"];

/// Hands over a batch of the rows, the groups going by the names given.
fn with_batch<T>(rows: &[Row], shape: Shape, names: [&str; 3], run: impl FnOnce(&Batch) -> T) -> T {
    let level = |l: Option<u8>| l.unwrap_or(u8::MAX);
    let [group, band, region] = [|r: &Row| r.group, |r: &Row| r.band, |r: &Row| r.region]
        .map(|f| rows.iter().map(|r| level(f(r))).collect::<Vec<_>>());
    let [label, decision] = [|r: &Row| r.label, |r: &Row| r.decision].map(|f| rows.iter().map(f).collect::<Vec<u8>>());
    let weight: Vec<f64> = rows.iter().map(|r| r.weight).collect();
    let score: Vec<Option<f64>> = rows.iter().map(|r| r.score).collect();
    let mut model = Model::decision("model", &decision);
    if shape.scored {
        model = model.with_score(&score);
    }
    let mut batch = Batch::builder()
        .attribute(Categorical::from_codes("group", names, &group).unwrap())
        .attribute(Categorical::from_codes("band", ["young", "old"], &band).unwrap())
        .label(&label)
        .model(model);
    if shape.stratified {
        batch = batch.stratum(Categorical::from_codes("region", ["north", "south"], &region).unwrap());
    }
    if shape.weighted {
        batch = batch.weight(&weight);
    }
    run(&batch.build().unwrap())
}

fn criterion(metric: &str, comparison: Comparison, against: Against, bound: f64) -> Criterion {
    let [maximum, minimum] = match comparison {
        Comparison::Difference | Comparison::Value => [Some(bound), None],
        Comparison::Ratio => [None, Some(bound)],
    };
    Criterion { metric: metric.into(), comparison, against, maximum, minimum, attributes: Vec::new() }
}

fn plan(shape: Shape) -> AuditPlan {
    use Against::{BetweenGroups, Overall, Reference, Rest};
    use Comparison::{Difference, Ratio};
    let mut criteria = vec![
        criterion("demographic_parity", Difference, BetweenGroups, 0.1),
        criterion("disparate_impact", Ratio, BetweenGroups, 0.8),
        criterion("equalized_odds", Difference, Reference, 0.1),
        criterion("equalized_odds", Ratio, BetweenGroups, 0.8),
        criterion("equalized_odds_mean", Difference, BetweenGroups, 0.1),
        criterion("accuracy", Difference, Rest, 0.1),
        criterion("precision", Ratio, Overall, 0.8),
        criterion("mcc", Difference, BetweenGroups, 0.1),
        criterion("prevalence_ratio", Ratio, Reference, 0.8),
        criterion("treatment_equality", Difference, BetweenGroups, 0.5),
    ];
    if shape.stratified {
        criteria.push(criterion("conditional_demographic_parity", Difference, BetweenGroups, 0.1));
        criteria.push(criterion("conditional_disparate_impact", Ratio, Reference, 0.8));
        criteria.push(criterion("conditional_demographic_disparity", Difference, Rest, 0.1));
    }
    let policy = Policy { criteria, minimum_group_size: 3, ..Policy::default() };
    AuditPlan::new().policy(policy).replicates(20).seed(5)
}

fn audit(rows: &[Row], shape: Shape) -> Report {
    with_batch(rows, shape, GROUPS, |batch| plan(shape).run(batch).unwrap())
}

/// All estimates of a report, with what they are.
fn estimates(report: &Report) -> Vec<(String, &Estimate)> {
    let mut all = Vec::new();
    for model in &report.models {
        all.extend(model.overall.iter().map(|(m, e)| (format!("overall {m}"), e)));
        all.extend(
            model
                .findings
                .iter()
                .map(|f| (format!("finding {} {} {}", f.attribute, f.criterion, f.comparison), &f.estimate)),
        );
        for table in &model.tables {
            for group in &table.groups {
                let at = |m: &str| format!("{} {} {m}", table.attribute, group.group);
                all.extend(group.metrics.iter().map(|(m, e)| (at(m), e)));
                for (stratum, metrics) in &group.strata {
                    all.extend(metrics.iter().map(|(m, e)| (format!("{stratum} {}", at(m)), e)));
                }
            }
            for d in &table.disparities {
                let name = format!(
                    "{} {} {} {:?} {} {:?}",
                    table.attribute, d.metric, d.comparison, d.group, d.against, d.stratum
                );
                all.push((name, &d.estimate));
            }
        }
    }
    all
}

/// The figures of the cells, by what they are: measures of scores and of pairs are held to such properties where they
/// are written.
fn by_name(report: &Report) -> BTreeMap<String, Estimate> {
    let measured = |name: &str| name.split(' ').any(|word| catalog::measure(word).is_some());
    estimates(report).into_iter().filter(|(name, _)| !measured(name)).map(|(name, e)| (name, e.clone())).collect()
}

/// The first number that is none, in a form that can hold those (JSON writes them as null).
fn not_finite(value: &toml::Value, path: &str) -> Option<String> {
    match value {
        toml::Value::Float(f) if !f.is_finite() => Some(format!("{path} = {f}")),
        toml::Value::Array(all) => all.iter().enumerate().find_map(|(i, v)| not_finite(v, &format!("{path}[{i}]"))),
        toml::Value::Table(all) => all.iter().find_map(|(k, v)| not_finite(v, &format!("{path}.{k}"))),
        _ => None,
    }
}

/// Everything that every report keeps to.
fn check(report: &Report) {
    let value = toml::Value::try_from(report).unwrap();
    assert_eq!(not_finite(&value, "report"), None);
    let text = serde_json::to_string(report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), *report);
    for (name, e) in estimates(report) {
        assert!(e.value.is_some() != e.reason.is_some(), "{name}: either a figure or a reason, not {e:?}");
        let Some(v) = e.value else { continue };
        let slack = 1e-9 * v.abs().max(1.0);
        assert!(e.low.is_none_or(|low| low <= v + slack), "{name}: {e:?}");
        assert!(e.high.is_none_or(|high| high >= v - slack), "{name}: {e:?}");
        let s = e.support;
        assert!(s.rows >= 0.0 && s.weight >= 0.0 && s.effective_size <= s.rows + 1e-9 * s.rows, "{name}: {s:?}");
    }
    for model in &report.models {
        for table in &model.tables {
            check_table(table, report.data.rows);
        }
        for finding in &model.findings {
            let ps = [finding.p_value, finding.p_adjusted];
            assert!(ps.iter().flatten().all(|p| (0.0..=1.0).contains(p)), "{finding:?}");
            assert!(finding.p_value <= finding.p_adjusted, "{finding:?}");
            assert!(!finding.sentence.contains("NaN") && !finding.sentence.contains("inf"), "{}", finding.sentence);
        }
    }
}

fn check_table(table: &AttributeTable, rows: u64) {
    assert_eq!(table.groups.iter().map(|g| g.rows).sum::<u64>() + table.missing_rows, rows);
    for group in &table.groups {
        for (name, e) in &group.metrics {
            let (least, most) = match (catalog::metric(name), catalog::measure(name)) {
                (Some(metric), _) => (Some(metric.least), metric.most),
                (None, measure) => (measure.unwrap().least, measure.unwrap().most),
            };
            let ends = [e.value, e.low, e.high].into_iter().flatten();
            for v in ends.chain(e.bounds.into_iter().flatten()) {
                let within = least.is_none_or(|least| least - 1e-9 <= v) && most.is_none_or(|most| v <= most + 1e-9);
                assert!(within, "{name}: {e:?}");
            }
        }
        let of = |name: &str| group.metrics[name].value;
        for (one, other) in [
            ("true_positive_rate", "false_negative_rate"),
            ("false_positive_rate", "true_negative_rate"),
            ("precision", "false_discovery_rate"),
            ("negative_predictive_value", "false_omission_rate"),
        ] {
            assert_eq!(of(one).is_some(), of(other).is_some(), "{one}");
            assert!(of(one).is_none_or(|v| (v + of(other).unwrap() - 1.0).abs() < 1e-12), "{one}");
        }
    }
    for d in &table.disparities {
        assert!(d.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)), "{d:?}");
        assert_eq!(d.p_value.is_some(), d.test.is_some(), "{d:?}");
        let Some(v) = d.estimate.value else { continue };
        // Between groups a difference is a size, and the ratio of what is never negative at most 1.
        if d.against == "between_groups" && d.comparison != Comparison::Value {
            let most = if d.comparison == Comparison::Ratio { 1.0 + 1e-12 } else { f64::INFINITY };
            assert!((0.0..=most).contains(&v), "{d:?}");
        }
    }
}

/// The same figures up to rounding, where both have one.
fn agree(a: &Report, b: &Report, what: impl Fn(&Estimate) -> Vec<Option<f64>>) {
    let (a, b) = (by_name(a), by_name(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, x) in &a {
        let y = &b[name];
        assert_eq!(x.reason, y.reason, "{name}");
        for (v, w) in what(x).into_iter().zip(what(y)) {
            let close = match (v, w) {
                (Some(v), Some(w)) => (v - w).abs() <= 1e-8 * v.abs().max(w.abs()).max(1.0),
                (v, w) => v == w,
            };
            assert!(close, "{name}: {x:?} and {y:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reports_keep_to_their_rules(rows in rows(60), weighted: bool, scored: bool, stratified: bool) {
        check(&audit(&rows, Shape { weighted, scored, stratified }));
    }

    #[test]
    fn merged_tallies_give_the_report_of_the_whole(rows in rows(60), at in 0.0..1.0f64, weighted: bool) {
        prop_assume!(rows.len() > 1);
        let shape = Shape { weighted, ..FULL };
        let at = 1 + (at * (rows.len() - 1) as f64) as usize;
        let (first, second) = rows.split_at(at.min(rows.len() - 1));
        let tally = |rows: &[Row]| with_batch(rows, shape, GROUPS, |batch| plan(shape).tally(batch).unwrap());
        let mut merged = tally(first);
        merged.merge(&tally(second)).unwrap();
        prop_assert_eq!(plan(shape).evaluate(&merged).unwrap(), audit(&rows, shape));
    }

    #[test]
    fn the_order_of_rows_says_nothing(rows in rows(60).prop_shuffle(), weighted: bool) {
        let shape = Shape { weighted, ..FULL };
        let mut sorted = rows.clone();
        sorted.sort_by_key(|r| (r.group, r.label, r.decision, r.band));
        prop_assert_eq!(audit(&sorted, shape), audit(&rows, shape));
    }

    #[test]
    fn the_order_of_levels_says_nothing(rows in rows(60)) {
        // The codes of a and c change places with their names.
        let turned: Vec<Row> = rows.iter().map(|r| Row { group: r.group.map(|g| 2 - g), ..*r }).collect();
        let report = with_batch(&turned, FULL, ["c", "b", "a"], |batch| plan(FULL).run(batch).unwrap());
        prop_assert_eq!(report, audit(&rows, FULL));
    }

    #[test]
    fn the_order_of_attributes_says_nothing(rows in rows(60)) {
        let asked = |names: [&str; 2]| with_batch(&rows, FULL, GROUPS, |b| plan(FULL).attributes(names).run(b).unwrap());
        let (one, other) = (asked(["group", "band"]), asked(["band", "group"]));
        for name in ["group", "band"] {
            prop_assert_eq!(one.models[0].table(name).unwrap(), other.models[0].table(name).unwrap());
        }
        prop_assert_eq!(&one.models[0].overall, &other.models[0].overall);
        // Drawn intervals depend on the place of a group: what has a closed form does not.
        let drawn = ["mcc", "prevalence_ratio", "conditional_demographic_disparity"];
        let worst = |r: &Report| {
            r.findings().filter(|(_, f)| !drawn.contains(&f.criterion.as_str())).map(|(_, f)| f.verdict).max()
        };
        prop_assert_eq!(worst(&one), worst(&other));
    }

    #[test]
    fn other_names_for_the_groups_permute_the_answer(rows in rows(60)) {
        // The largest group is the reference, and ties go to the first name: compare what has no reference.
        let one = audit(&rows, PLAIN);
        let other = with_batch(&rows, PLAIN, ["b", "c", "a"], |b| plan(PLAIN).run(b).unwrap());
        let renamed = |name: &str| match name { "a" => "b", "b" => "c", _ => "a" };
        let (one, other) = (one.models[0].table("group").unwrap(), other.models[0].table("group").unwrap());
        for group in &one.groups {
            let twin = other.groups.iter().find(|g| g.group == renamed(&group.group)).unwrap();
            // Drawn intervals depend on the place of a group.
            for (name, e) in &group.metrics {
                prop_assert_eq!((e.value, e.reason), (twin.metrics[name].value, twin.metrics[name].reason));
            }
        }
        for d in one.disparities.iter().filter(|d| ["between_groups", "rest", "overall"].contains(&&*d.against)) {
            let group = d.group.as_deref().map(renamed);
            let twin = other.disparities.iter().find(|t| {
                (&t.metric, t.comparison, &t.against, t.group.as_deref()) == (&d.metric, d.comparison, &d.against, group)
            });
            let twin = twin.unwrap();
            let close = match (d.estimate.value, twin.estimate.value) {
                (Some(v), Some(w)) => (v - w).abs() < 1e-12 * v.abs().max(1.0),
                (v, w) => v == w,
            };
            prop_assert!(close, "{:?} and {:?}", d, twin);
        }
    }

    #[test]
    fn two_of_each_row_are_a_weight_of_two(rows in rows(40)) {
        let twice: Vec<Row> = rows.iter().chain(&rows).map(|r| Row { weight: 1.0, ..*r }).collect();
        let heavy: Vec<Row> = rows.iter().map(|r| Row { weight: 2.0, ..*r }).collect();
        let policy = Policy { minimum_group_size: 0, ..Policy::default() };
        let run = |rows: &[Row], shape| {
            with_batch(rows, shape, GROUPS, |b| AuditPlan::new().policy(policy.clone()).replicates(10).run(b).unwrap())
        };
        let shape = Shape { weighted: false, ..FULL };
        agree(&run(&twice, shape), &run(&heavy, FULL), |e| vec![e.value]);
    }

    #[test]
    fn scaled_weights_change_nothing_but_the_weight(rows in rows(60), power in -3..4i32) {
        let scaled: Vec<Row> = rows.iter().map(|r| Row { weight: r.weight * 2f64.powi(power), ..*r }).collect();
        let drawn = ["mcc", "prevalence_ratio", "conditional_demographic_disparity"];
        let (one, other) = (audit(&rows, FULL), audit(&scaled, FULL));
        agree(&one, &other, |e| vec![e.value]);
        let (a, b) = (by_name(&one), by_name(&other));
        for (name, x) in a.iter().filter(|(name, _)| !drawn.iter().any(|d| name.contains(d))) {
            for (v, w) in [(x.low, b[name].low), (x.high, b[name].high)] {
                let close = v.zip(w).map_or(v == w, |(v, w)| (v - w).abs() <= 1e-7 * v.abs().max(1.0));
                prop_assert!(close, "{}: {:?} and {:?}", name, x, &b[name]);
            }
        }
    }

    #[test]
    fn one_thread_or_two(rows in rows(60), weighted: bool) {
        let shape = Shape { weighted, ..FULL };
        let on = |threads: usize| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| audit(&rows, shape))
        };
        prop_assert_eq!(on(1), on(2));
    }
}

/// Enough rows that the tally shares them out between threads.
#[test]
fn one_thread_or_two_for_many_rows() {
    let many: Vec<Row> = (0..300_000u32)
        .map(|i| {
            let bits = i.wrapping_mul(2_654_435_761) >> 8;
            let level = |shift: u32, n: u32| Some((bits >> shift) % (n + 1)).filter(|l| *l < n).map(|l| l as u8);
            Row {
                group: level(0, 3),
                band: level(3, 2),
                region: level(5, 2),
                label: (bits >> 7 & 1) as u8,
                decision: u8::from(bits >> 9 & 3 == 0),
                score: Some(f64::from(bits >> 11 & 15) / 16.0),
                weight: f64::from(1 + (bits >> 15 & 7)) / 3.0,
            }
        })
        .collect();
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| audit(&many, FULL))
    };
    let report = on(1);
    check(&report);
    assert_eq!(report, on(2));
}

const ROW: Row =
    Row { group: Some(0), band: Some(0), region: Some(0), label: 1, decision: 1, score: Some(0.5), weight: 1.0 };

/// So many rows, each made of the one above.
fn made(n: usize, make: impl Fn(usize, Row) -> Row) -> Vec<Row> {
    (0..n).map(|i| make(i, ROW)).collect()
}

fn mixed(i: usize, row: Row) -> Row {
    let [a, b, c, d] = [i % 3, i % 2, i / 2 % 2, i / 3 % 2].map(|v| v as u8);
    Row { group: Some(a), band: Some(b), region: Some(c), label: c, decision: d, score: Some(i as f64 / 64.0), ..row }
}

#[test]
fn nasty_batches_give_sound_reports() {
    let batches: [(&str, Vec<Row>); 14] = [
        ("a single row", made(1, |_, r| r)),
        ("one group", made(40, |i, r| Row { group: Some(0), band: Some(0), ..mixed(i, r) })),
        ("no positives", made(40, |i, r| Row { label: 0, ..mixed(i, r) })),
        ("no negatives", made(40, |i, r| Row { label: 1, ..mixed(i, r) })),
        ("no labels", made(40, |i, r| Row { label: 2, ..mixed(i, r) })),
        ("everybody selected", made(40, |i, r| Row { decision: 1, ..mixed(i, r) })),
        ("nobody selected", made(40, |i, r| Row { decision: 0, ..mixed(i, r) })),
        ("no decisions", made(40, |i, r| Row { decision: 2, ..mixed(i, r) })),
        ("no groups", made(40, |i, r| Row { group: None, band: None, region: None, ..mixed(i, r) })),
        ("no weight", made(40, |i, r| Row { weight: 0.0, ..mixed(i, r) })),
        (
            "weight in one group only",
            made(40, |i, r| Row { weight: if i % 3 == 0 { 1.0 } else { 0.0 }, ..mixed(i, r) }),
        ),
        ("far weights", made(40, |i, r| Row { weight: [1e-100, 1e100][i % 2], ..mixed(i, r) })),
        ("all tied", made(40, |_, r| r)),
        ("far scores", made(40, |i, r| Row { score: Some([-1e300, 1e300][i % 2]), ..mixed(i, r) })),
    ];
    for (name, rows) in batches {
        println!("{name}");
        for shape in [FULL, PLAIN] {
            check(&audit(&rows, shape));
            let best_off = plan(shape).reference_rule(Reference::BestOff).missing_as_group(true);
            with_batch(&rows, shape, GROUPS, |batch| {
                let report = best_off.run(batch).unwrap();
                assert_eq!(report, serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap());
            });
        }
    }
}
