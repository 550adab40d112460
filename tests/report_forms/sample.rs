//! Reports made by hand, with all that can be in one.

use std::collections::BTreeMap;

use evenhand::audit::{AuditPlan, Comparison, Criterion, Policy, Verdict};
use evenhand::data::{Batch, Categorical, Filtered, Model, Top};
use evenhand::metrics::scores::{ReliabilityBin, RocPoint};
use evenhand::metrics::{Estimate, Support, Undefined};
use evenhand::report::*;
use evenhand::tally::DecisionRule;

pub fn support(rows: f64) -> Support {
    Support { rows, weight: rows * 1.5, effective_size: rows * 0.9 }
}

/// A rate with an interval of plausible width.
pub fn rate(value: f64, rows: f64) -> Estimate {
    let half = 1.96 * (value * (1.0 - value) / rows).sqrt();
    Estimate::of(value, support(rows)).between((value - half).max(0.0), (value + half).min(1.0))
}

fn rates(rows: f64, selected: f64, tpr: f64, fpr: f64, precision: f64) -> BTreeMap<String, Estimate> {
    [
        ("selection_rate", rate(selected, rows)),
        ("true_positive_rate", rate(tpr, rows * 0.3)),
        ("false_positive_rate", rate(fpr, rows * 0.7)),
        ("precision", rate(precision, rows * selected)),
        ("mean_score", Estimate::of(selected * 1.1, support(rows)).between(selected, selected * 1.2)),
    ]
    .into_iter()
    .map(|(name, e)| (name.to_string(), e))
    .collect()
}

pub fn group(name: &str, rows: u64, of: u64, selected: f64) -> GroupResult {
    let n = rows as f64;
    GroupResult {
        group: name.into(),
        rows,
        weight: n * 1.5,
        effective_size: n * 0.9,
        share: n / of as f64,
        too_small: rows < 10,
        metrics: rates(n, selected, selected * 1.9, selected * 0.6, 0.55 - selected / 3.0),
        strata: BTreeMap::new(),
    }
}

fn disparity(group: Option<&str>, comparison: Comparison, against: &str, estimate: Estimate) -> Disparity {
    Disparity {
        metric: "selection_rate".into(),
        group: group.map(Into::into),
        stratum: None,
        comparison,
        against: against.to_string().into(),
        estimate,
        p_value: Some(0.000_012_3),
        test: Some("Fisher's exact test".into()),
        highest: group.is_none().then(|| "Male".into()),
        lowest: group.is_none().then(|| "Female".into()),
        left_out: Vec::new(),
    }
}

pub fn table(attribute: &str, groups: Vec<GroupResult>) -> AttributeTable {
    let best = groups.iter().filter(|g| !g.too_small).max_by(|a, b| rate_of(a).total_cmp(&rate_of(b))).cloned();
    let best = best.expect("a group");
    let compare = |g: &GroupResult| {
        let e = Estimate::of(rate_of(g) - rate_of(&best), support(g.rows as f64));
        let e = Estimate { low: e.value.map(|v| v - 0.02), high: e.value.map(|v| v + 0.02), ..e };
        disparity(Some(&g.group), Comparison::Difference, &best.group, e)
    };
    let mut disparities: Vec<_> = groups.iter().filter(|g| g.group != best.group).map(compare).collect();
    let gap = disparities.iter().filter_map(|d| d.estimate.value).fold(0.0, |a: f64, b| a.max(-b));
    let n = support(groups.iter().map(|g| g.rows as f64).sum());
    disparities.insert(
        0,
        disparity(None, Comparison::Difference, "between_groups", Estimate::of(gap, n).between(gap - 0.01, gap + 0.01)),
    );
    let ratio = 1.0 - gap / rate_of(&best).max(gap);
    disparities.insert(
        1,
        disparity(
            None,
            Comparison::Ratio,
            "between_groups",
            Estimate::of(ratio, n).between(ratio * 0.95, ratio * 1.05),
        ),
    );
    AttributeTable {
        attribute: attribute.into(),
        attributes: attribute.split(" & ").map(Into::into).collect(),
        overlapping: false,
        reference: Some(best.group),
        groups,
        missing_rows: 0,
        disparities,
        cells: Vec::new(),
        conditioning: None,
        scores: None,
        curves: None,
    }
}

fn rate_of(g: &GroupResult) -> f64 {
    g.metrics["selection_rate"].value.unwrap_or(0.0)
}

pub fn finding(verdict: Verdict, criterion: &str, attribute: &str, estimate: Estimate, sentence: &str) -> Finding {
    let ratio = criterion == "disparate_impact";
    Finding {
        verdict,
        sentence: sentence.into(),
        criterion: criterion.into(),
        attribute: attribute.into(),
        comparison: if ratio { Comparison::Ratio } else { Comparison::Difference },
        against: "between_groups".into(),
        minimum: ratio.then_some(0.8),
        maximum: (!ratio).then_some(0.05),
        estimate,
        highest: Some("Male".into()),
        lowest: Some("Female".into()),
        p_value: None,
        p_adjusted: None,
        test: None,
        noise: None,
        rows_to_decide: None,
        left_out: Vec::new(),
        gravity: 0.1,
    }
}

const ROWS: u64 = 45_211;

pub fn model(name: &str) -> ModelReport {
    let mut sex = table("sex", vec![group("Female", 21_001, ROWS, 0.158), group("Male", 24_198, ROWS, 0.258)]);
    sex.missing_rows = 12;
    for (g, n) in sex.groups.iter_mut().zip([0.61, 0.64]) {
        for (stratum, by) in [("North", 1.0), ("South", 0.9)] {
            g.strata.insert(stratum.into(), rates(900.0, n * by, 0.5, 0.1, 0.4));
        }
    }
    let mut other = group("85+", 7, ROWS, 0.2);
    other.metrics.insert("true_positive_rate".into(), Estimate::undefined(Undefined::NoPositives, support(0.0)));
    let mut young = group("18-24", 4_020, ROWS, 0.221);
    let selective =
        Estimate { bounds: Some([0.12, 0.83]), ..Estimate::undefined(Undefined::SelectiveLabels, support(4_020.0)) };
    young.metrics.insert("false_positive_rate".into(), selective);
    let age = vec![young, group("25-44", 22_310, ROWS, 0.231), group("45-84", 18_874, ROWS, 0.238), other];
    let age = table("age band", age);
    let cross = [
        "Female & 18-24",
        "Female & 25-44",
        "Female & 45-84",
        "Female & 85+",
        "Male & 18-24",
        "Male & 25-44",
        "Male & 45-84",
    ];
    let cross =
        cross.iter().enumerate().map(|(i, n)| group(n, if i == 3 { 4 } else { 7_000 }, ROWS, 0.15 + i as f64 / 60.0));
    let mut cross = table("sex & age band", cross.collect());
    let mut within = disparity(
        Some("Female & 18-24"),
        Comparison::Ratio,
        "rest",
        Estimate::undefined(Undefined::OverZero, support(3.0)),
    );
    (within.stratum, within.p_value, within.test) = (Some("North".into()), None, None);
    within.left_out = vec![LeftOut { group: "Female & 85+".into(), reason: "too small".into() }];
    cross.disparities.push(within);
    let fail = Finding {
        p_value: Some(0.000_012_3),
        p_adjusted: Some(0.000_049),
        test: Some("permutation test of the ratio".into()),
        noise: Some(0.97),
        left_out: vec![LeftOut { group: "85+".into(), reason: "too small to judge: 7 rows".into() }],
        gravity: 0.7,
        ..finding(
            Verdict::Fail,
            "disparate_impact",
            "sex",
            Estimate::of(0.612, support(ROWS as f64)).between(0.584, 0.641),
            "Female is selected 0.61 times as often as Male (15.8 % against 25.8 %), with 95 % confidence between \
             0.58 and 0.64 times; at least 0.80 is required.",
        )
    };
    let unsure = Finding {
        rows_to_decide: Some(12_400),
        p_value: Some(0.041),
        p_adjusted: Some(0.082),
        ..finding(
            Verdict::Inconclusive,
            "equal_opportunity",
            "age band",
            Estimate::of(0.043, support(9_000.0)).between(0.021, 0.066),
            "The share of the positives selected differs by 4.3 points between 18-24 and 45-84; the interval from 2.1 \
             to 6.6 points holds both what is allowed (at most 5.0 points) and what is not.",
        )
    };
    let none = Finding {
        verdict: Verdict::Inconclusive,
        against: "rest".into(),
        ..finding(
            Verdict::Inconclusive,
            "predictive_parity",
            "sex & age band",
            Estimate::undefined(Undefined::TooFewGroups, support(0.0)),
            "Fewer than two groups can be compared.",
        )
    };
    let pass = finding(
        Verdict::Pass,
        "disparate_impact",
        "age band",
        Estimate::of(0.929, support(ROWS as f64)).between(0.891, 0.968),
        "18-24 is selected 0.93 times as often as 45-84.",
    );
    ModelReport {
        segment_of: None,
        model: name.into(),
        rule: DecisionRule::Threshold(0.5),
        verdict: Verdict::Fail,
        coverage: OutcomeCoverage {
            unknown_labels: Some(1_204),
            missing_decisions: Some(0),
            missing_scores: None,
            selective_labels: Some([0.98, 0.12]),
        },
        findings: vec![fail, unsure, none, pass],
        overall: rates(ROWS as f64, 0.211, 0.44, 0.12, 0.47),
        tables: vec![sex, age, cross],
        impact: Vec::new(),
        notes: vec!["14 rows tied at the cut share the last 3 places.".into()],
    }
}

/// Two attributes and their intersection, a too small group, undefined figures, selective labels, strata.
pub fn full() -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        verdict: Verdict::Fail,
        summary: "1 of 4 criteria fails and 2 are inconclusive: the model selects Female 0.61 times as often as Male."
            .into(),
        provenance: Provenance {
            version: "0.1.0".into(),
            created: Some("2026-02-03T04:05:06Z".into()),
            command: Some(
                "evenhand audit offers.csv --attribute sex --attribute 'age band' --label responded --score propensity \
                 --threshold 0.5 --seed 42"
                    .into(),
            ),
            inputs: vec![InputFile {
                path: "offers.csv".into(),
                format: "csv".into(),
                bytes: 4_212_345,
                rows: ROWS,
                blake3: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262".into(),
            }],
            tally_digest: "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8".into(),
        },
        data: DataSummary {
            rows: ROWS,
            weight: Some(67_816.5),
            attributes: vec![
                Coverage { column: "sex".into(), levels: 2, missing_rows: 12, missing_share: 12.0 / ROWS as f64 },
                Coverage { column: "age band".into(), levels: 4, missing_rows: 0, missing_share: 0.0 },
            ],
            strata: vec![Coverage { column: "region".into(), levels: 2, missing_rows: 900, missing_share: 0.0199 }],
            filter: None,
        },
        settings: Settings {
            policy: Policy {
                name: "house rules".into(),
                minimum_group_share: 0.001,
                criteria: vec![
                    Criterion { attributes: vec!["sex".into(), "age band".into()], ..Policy::preset("four-fifths").unwrap().criteria[0].clone() },
                    Policy::preset("equal-opportunity").unwrap().criteria[0].clone(),
                ],
                ..Policy::default()
            },
            order: 2,
            seed: 42,
            replicates: 1_000,
            reference: "the group with the highest selection rate".into(),
            missing_as_group: false,
        },
        models: vec![model("propensity")],
    }
}

/// A second model that does better.
pub fn two_models() -> Report {
    let mut report = full();
    let mut second = model("propensity, reweighted");
    second.verdict = Verdict::Inconclusive;
    second.findings[0].verdict = Verdict::Pass;
    second.findings[0].estimate = Estimate::of(0.902, support(ROWS as f64)).between(0.861, 0.945);
    second.findings.pop();
    report.models.push(second);
    report
}

/// A segmentation with two segments, each a decision of its own.
pub fn segmented() -> Report {
    let mut report = full();
    let association = |metric: &str, value: f64| Disparity {
        comparison: Comparison::Value,
        metric: metric.to_string().into(),
        estimate: Estimate::of(value, support(ROWS as f64)).between(value - 0.01, value + 0.01),
        p_value: Some(1e-9),
        test: Some("chi-square".into()),
        ..report.models[0].tables[0].disparities[0].clone()
    };
    let mut tier = model("tier");
    tier.rule = DecisionRule::Segments(2);
    tier.findings.clear();
    for table in &mut tier.tables {
        table.disparities = vec![association("cramers_v", 0.21), association("total_variation", 0.155)];
        table.groups.iter_mut().for_each(|g| g.metrics.clear());
        let pairs = table.groups.iter().flat_map(|g| [(g, "basic", 0.9), (g, "gold", 1.3)]).enumerate();
        table.cells = pairs
            .map(|(i, (g, segment, times))| SegmentCell {
                group: g.group.clone(),
                segment: segment.into(),
                share: rate(0.4 * times, g.rows as f64),
                representation: Estimate::of(times, support(g.rows as f64)).between(times - 0.1, times + 0.1),
                skew: Estimate::of(f64::ln(times), support(g.rows as f64)),
                impact_ratio: rate(times / 1.3, g.rows as f64),
                residual: (i != 3).then_some(3.0 * times - i as f64),
                p_value: (i != 3).then_some(0.01 * (i % 7) as f64),
            })
            .collect();
    }
    let segment = |name: &str| ModelReport { segment_of: Some("tier".into()), ..model(&format!("tier = {name}")) };
    report.models = vec![tier, segment("basic"), segment("gold")];
    report
}

/// A rulebook's tables and strata: a small category, one that a single selection would turn, a reversal, a stratum that
/// lacks a group; with names that try to be something else.
pub fn ruled(preset: &str) -> Report {
    let cells = [
        ("open", "small", 810, 870),
        ("open", "large | *x*", 1920, 2630),
        ("keyhole", "small", 2340, 2700),
        ("keyhole", "large | *x*", 550, 800),
        (HOSTILE[0], "only here", 125, 190),
        (HOSTILE[3], "small", 20, 20),
    ];
    let (mut group, mut stratum, mut score) = (Vec::new(), Vec::new(), Vec::new());
    for (g, s, selected, decided) in cells {
        group.extend(std::iter::repeat_n(g, decided));
        stratum.extend(std::iter::repeat_n(s, decided));
        score.extend((0..decided).map(|i| if i < selected { 2.0 } else { 1.0 }));
    }
    let model = if preset == "eeoc" {
        Model::threshold("score", score, 1.5)
    } else {
        Model::top("score", score, Top::AboveMedian)
    };
    let batch = Batch::builder()
        .attribute(Categorical::from_values("group", group))
        .stratum(Categorical::from_values("size", stratum))
        .model(model)
        .build()
        .expect("a batch");
    let plan = AuditPlan::new().policy(Policy::preset(preset).expect("a preset")).reference("group", "keyhole");
    plan.run(&batch).expect("an audit")
}

/// Every threshold and budget of a score, with labels.
pub fn cuts() -> Report {
    let rows = 0..240usize;
    let batch = Batch::builder()
        .attribute(Categorical::from_values("sex", rows.clone().map(|i| if i % 3 == 0 { "Female" } else { "Male" })))
        .label(rows.clone().map(|i| u8::from(i % 5 + i % 3 > 3)).collect::<Vec<_>>())
        .model(Model::threshold(
            "score",
            rows.map(|i| (i * 37 % 80 + 10 * (i % 3)) as f64 / 100.0).collect::<Vec<_>>(),
            0.5,
        ))
        .build()
        .expect("a batch");
    AuditPlan::new().curves(8).run(&batch).expect("an audit")
}

/// Probabilities with labels: a group without known labels, one without negatives, one that is too small; and an attribute of
/// more groups than are drawn.
pub fn scored() -> Report {
    let rows = 0..6_500usize;
    let region = |i: usize| match i % 100 {
        0 if i < 500 => "Isle",
        0..30 => "North",
        30..90 => "South",
        90..95 => "Unlabelled",
        _ => "Always",
    };
    let score = |i: usize| (i * 7_919 % 997) as f64 / 1_000.0 * if region(i) == "South" { 1.0 } else { 0.8 };
    let label = |i: usize| match region(i) {
        "Unlabelled" => None,
        "Always" => Some(true),
        _ => Some(score(i) > (i * 104_729 % 1_009) as f64 / 1_009.0),
    };
    let labels: Vec<Option<bool>> = rows.clone().map(label).collect();
    let batch = Batch::builder()
        .attribute(Categorical::from_values("region", rows.clone().map(region)))
        .attribute(Categorical::from_values("shop", rows.clone().map(|i| format!("shop {}", i % 65))))
        .label(labels.as_slice())
        .model(Model::threshold("propensity", rows.map(score).collect::<Vec<_>>(), 0.5))
        .build()
        .expect("a batch");
    AuditPlan::new()
        .policy(Policy::preset("equal-opportunity").expect("a preset"))
        .order(1)
        .run(&batch)
        .expect("an audit")
}

/// Names that try to be something else.
pub const HOSTILE: [&str; 9] = [
    "<script>alert('x')</script>",
    "a|b `c` *d* [e](http://f.g) @everyone",
    "first\nsecond\r\n\x1b[31mred\x07",
    "👩‍👩‍👧 family 日本語",
    "\u{202e}desrever",
    "نساء",
    "=HYPERLINK(\"http://x\",\"y\")",
    "\"quoted\", with comma",
    "",
];

/// Hostile names in every place, one of 10,000 characters, and 2,000 groups.
pub fn hostile() -> Report {
    let mut report = two_models();
    let long = "long name ".repeat(1_000);
    let names =
        || HOSTILE.iter().map(|n| n.to_string()).chain([long.clone(), "n\u{301}".repeat(10_000), "x".repeat(10_000)]);
    report.models[0].tables.push(table(
        "names",
        names().enumerate().map(|(i, n)| group(&n, 1_000, ROWS, 0.1 + i as f64 / 50.0)).collect(),
    ));
    let named = report.models[0].tables.last_mut().expect("a table");
    let shape = |g: &GroupResult| GroupShape {
        group: g.group.clone(),
        histogram: vec![0.5, 0.3, 0.2],
        calibration: [0.2, 0.6]
            .map(|s| ReliabilityBin { low: s, high: s + 0.1, mean_score: s, observed: rate(s, 90.0) })
            .to_vec(),
        roc: [(0.7, 0.2, 0.5), (0.2, 1.0, 1.0)].map(|(threshold, fpr, tpr)| RocPoint { threshold, fpr, tpr }).to_vec(),
        ..GroupShape::default()
    };
    named.scores = Some(ScoreShapes {
        bins: Some(ScoreBins { from: 0.0, to: 0.9, open: [true, false] }),
        groups: named.groups.iter().map(shape).collect(),
        more: 3,
        left_out: HOSTILE.iter().map(|n| LeftOut { group: n.to_string(), reason: n.to_string() }).collect(),
    });
    let many = (0..2_000).map(|i| {
        group(&format!("a & b & {i} {}", "w".repeat(i % 60)), (i as u64 * 7919) % 5_000, ROWS, 0.9 - i as f64 / 3_000.0)
    });
    report.models[0].tables.push(table("very & many", many.collect()));
    for (i, n) in names().enumerate() {
        report.models[i % 2]
            .tables
            .push(table(&format!("{n} & {n}"), vec![group(&n, 50, 100, 0.5), group("b", 50, 100, 0.4)]));
        report.models[0].notes.push(format!("a note on {n}"));
        report.models[1].findings.push(Finding {
            against: n.clone(),
            highest: Some(n.clone()),
            left_out: vec![LeftOut { group: n.clone(), reason: n.clone() }],
            ..finding(Verdict::Fail, &n, &n, rate(0.2, 500.0), &format!("{n} is lower than {n}."))
        });
    }
    report.models[1].model = long.clone();
    report.provenance.inputs[0].path = HOSTILE.concat();
    report.provenance.command = Some(HOSTILE.join(" "));
    report.provenance.created = Some(HOSTILE[2].into());
    report.settings.policy.name = HOSTILE[0].into();
    report.settings.reference = HOSTILE[2].into();
    report.data.attributes[0].column = HOSTILE[1].into();
    report.data.strata[0].column = long;
    report.summary = HOSTILE.join(" and ");
    report
}

/// Only labels, no decisions, no criteria: an audit of the data themselves.
pub fn labels_only() -> Report {
    let mut report = full();
    let m = &mut report.models[0];
    m.findings.clear();
    m.rule = DecisionRule::None;
    m.coverage = OutcomeCoverage { unknown_labels: Some(0), ..Default::default() };
    m.notes.clear();
    m.tables.truncate(1);
    m.overall = BTreeMap::from([("base_rate".to_string(), rate(0.003, ROWS as f64))]);
    for g in &mut m.tables[0].groups {
        g.strata.clear();
        g.metrics =
            BTreeMap::from([("base_rate".to_string(), rate(if g.group == "Male" { 0.004 } else { 0.002 }, 2e4))]);
    }
    m.tables[0].disparities.clear();
    report.settings.policy.criteria.clear();
    (report.verdict, report.models[0].verdict) = (Verdict::Pass, Verdict::Pass);
    report.summary = "No criterion was set: the figures are shown without a judgement.".into();
    report
}

/// A report on some of the rows.
pub fn filtered() -> Report {
    let mut report = full();
    report.data.filter = Some(Filtered { condition: "country = 'DE'".into(), rows_left_out: Some(1204) });
    report
}

/// Every number of a sample.
pub fn all() -> Vec<(&'static str, Report)> {
    let mut empty = full();
    empty.models.clear();
    vec![
        ("full", full()),
        ("two_models", two_models()),
        ("segmented", segmented()),
        ("ruled", ruled("eeoc")),
        ("ruled_by_city", ruled("nyc-local-law-144")),
        ("cuts", cuts()),
        ("scored", scored()),
        ("hostile", hostile()),
        ("labels_only", labels_only()),
        ("empty", empty),
    ]
}
