//! What the peers answer, and what we do: every figure is the same to 1e-9, or the difference is explained.

#[path = "oracle_binary/excuses.rs"]
mod excuses;
#[path = "oracle_binary/input.rs"]
mod input;
#[path = "oracle_binary/peers.rs"]
mod peers;
#[path = "oracle_binary/view.rs"]
mod view;

use std::collections::BTreeMap;

use evenhand::audit::{AuditPlan, Comparison, Policy};
use evenhand::data::{Batch, Categorical};
use evenhand::inference::hypothesis::fisher_exact;
use evenhand::inference::multiplicity::Multiplicity;
use evenhand::inference::z_quantile;
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, Normal};

use input::Desk;
use peers::{Answer, Entry, ours};

/// Ours and theirs are sums of the same numbers in another order.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) + 1e-12
}

/// What a peer said: a figure, that there is none, or why it gave up.
#[derive(Debug, Clone, PartialEq)]
pub enum Theirs {
    Figure(f64),
    Undefined,
    Error(String),
}

/// Every figure of an entry with its path. Records of Aequitas are told apart by attribute and group.
fn leaves(entry: &Entry) -> Vec<(Vec<String>, Theirs)> {
    fn walk(value: &Value, path: &mut Vec<String>, out: &mut Vec<(Vec<String>, Theirs)>) {
        match value {
            Value::Number(n) => out.push((path.clone(), Theirs::Figure(n.as_f64().unwrap()))),
            Value::Bool(b) => out.push((path.clone(), Theirs::Figure(f64::from(u8::from(*b))))),
            Value::Null => out.push((path.clone(), Theirs::Undefined)),
            Value::String(s) if ["NaN", "Infinity", "-Infinity"].contains(&s.as_str()) => {
                out.push((path.clone(), Theirs::Undefined));
            }
            // Names of reference groups.
            Value::String(_) => {}
            Value::Object(all) => {
                for (key, value) in all {
                    path.push(key.clone());
                    walk(value, path, out);
                    path.pop();
                }
            }
            Value::Array(records) => {
                for record in records {
                    let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or("group").to_string();
                    let attribute = text("attribute_name");
                    let mut at =
                        vec![if attribute == "g" { "group".into() } else { attribute }, text("attribute_value")];
                    if let Some(cut) = record.get("score_threshold").filter(|c| *c != "binary 0/1") {
                        at.insert(0, cut.as_str().unwrap().into());
                    }
                    let mut record = record.clone();
                    for key in ["model_id", "attribute_name", "attribute_value", "score_threshold"] {
                        record.as_object_mut().unwrap().remove(key);
                    }
                    walk(&record, &mut at, out);
                }
            }
        }
    }
    if let Some(error) = entry.0.get("error") {
        return vec![(Vec::new(), Theirs::Error(error.as_str().unwrap().into()))];
    }
    let mut out = Vec::new();
    let mut value = entry.0["value"].clone();
    // The first file keeps Aequitas' records by group.
    if entry.text("function") == "get_crosstabs + get_disparity_predefined_groups" {
        value = serde_json::json!({ entry.param("attribute").unwrap().as_str().unwrap(): value });
    }
    walk(&value, &mut Vec::new(), &mut out);
    out
}

fn oracle() -> Value {
    serde_json::from_slice(&input::read("oracle_binary.json.gz")).unwrap()
}

/// How many entries, and how many of their figures.
#[derive(Debug, Default, PartialEq)]
struct Count {
    entries: usize,
    /// Entries of which no figure could be compared: each has its reason.
    excepted: usize,
    /// Figures that are the same.
    same: usize,
    /// Figures that neither has.
    neither: usize,
    /// Figures that differ, or that only one has.
    reasons: BTreeMap<&'static str, usize>,
}

/// Where a peer gives up on a whole table, one figure of ours stands for it.
fn gave_up_on_a_table(entry: &Entry, theirs: &Theirs) -> bool {
    let tables = ["MetricFrame", "Group.get_crosstabs", "Bias.get_disparity_predefined_groups"];
    matches!(theirs, Theirs::Error(_)) && tables.contains(&entry.text("function"))
}

#[test]
fn every_figure_of_the_peers_is_ours_or_explained() {
    let oracle = oracle();
    let mut desk = Desk::new(&oracle["cases"]);
    let mut count = Count::default();
    let mut wrong: Vec<String> = Vec::new();
    let entries = oracle["entries"].as_array().unwrap().iter().map(Entry);
    for entry in entries.filter(|e| !["statsmodels", "scipy"].contains(&e.text("peer"))) {
        let all = leaves(&entry);
        // An empty table is the answer to an empty input; ours is an error.
        assert!(!all.is_empty() || entry.text("input") == "inline:empty_input", "{}", entry.0);
        let before = count.same + count.neither;
        for (path, theirs) in all {
            let answer = if gave_up_on_a_table(&entry, &theirs) {
                excuses::of_whole_tables(&mut desk, &entry)
            } else {
                ours(&mut desk, &entry, &path)
            };
            let reason = match (&answer, &theirs) {
                (Answer::Figure(Ok(a)), Theirs::Figure(b)) if same(*a, *b) => {
                    count.same += 1;
                    continue;
                }
                (Answer::Figure(Err(_)), Theirs::Undefined | Theirs::Error(_)) => {
                    count.neither += 1;
                    continue;
                }
                (Answer::NotOurs(reason), _) => Ok(*reason),
                (Answer::Figure(ours), _) => excuses::of(&mut desk, &entry, &path, ours, &theirs).ok_or(ours),
            };
            match reason {
                Ok(reason) => *count.reasons.entry(reason).or_default() += 1,
                Err(ours) => {
                    let [id, peer, function, input] = ["id", "peer", "function", "input"].map(|k| entry.text(k));
                    wrong.push(format!("{id} {peer} {function} on {input} {path:?}: {ours:?}, not {theirs:?}"));
                }
            }
        }
        count.entries += 1;
        count.excepted += usize::from(count.same + count.neither == before);
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    // None may be lost, and no exception may spread: a change here is a change of what we claim.
    let reasons = BTreeMap::from(REASONS);
    assert_eq!(count, Count { entries: 1629, excepted: 228, same: 8639, neither: 285, reasons });
}

/// How many figures differ for which reason.
const REASONS: [(&str, usize); 30] = [
    ("Aequitas judges the figure, we judge its interval", 752),
    ("an effect size: later work", 8),
    ("answers 0 for a ratio over zero", 3),
    ("answers 0 for no rows", 1),
    ("compares one group with itself, or drops the part that is undefined", 5),
    ("counts where a ratio is over zero", 1),
    ("divides correlations of both signs", 1),
    ("drawn at random by numpy", 30),
    ("fails on a group with one label", 3),
    ("fails on a group without weight", 1),
    ("gives up where a group has one label only", 2),
    ("no metric of ours: Cohen's kappa", 71),
    ("of scores: later work", 505),
    ("p-values on the wrong rows", 240),
    ("reads -1 as no row", 43),
    ("reads labels other than 0 and 1 as one", 2),
    ("reads text as 0", 4),
    ("refuses -1 and 1: we are told which is favourable", 8),
    ("refuses missing decisions: we count them", 23),
    ("refuses missing groups: we count them", 24),
    ("refuses text: we read it where it is plain", 28),
    ("takes a missing decision for a rejection", 8),
    ("takes a missing group for unprivileged", 16),
    ("takes a rate over nobody for 0", 177),
    ("takes a rate over nobody for 1", 2),
    ("takes columns of unequal lengths", 2),
    ("takes negative weights", 69),
    ("takes three labels for two", 4),
    ("the mean of two ratios", 12),
    ("writes 10 for a ratio over zero", 17),
];

/// 0 and 1 as often as two groups of counts say.
fn of_counts(groups: &[(u64, u64)], confidence: f64) -> view::View {
    let names: Vec<String> = (0..groups.len()).map(|i| format!("g{i}")).collect();
    let rows = || groups.iter().enumerate().flat_map(|(g, (x, n))| (0..*n).map(move |i| (g as u8, u8::from(i < *x))));
    let codes: Vec<u8> = rows().map(|r| r.0).collect();
    let decision: Vec<u8> = rows().map(|r| r.1).collect();
    let group = Categorical::from_codes("group", names, &codes).unwrap();
    let batch = Batch::builder().attribute(group).decision(&decision).build().unwrap();
    let policy = Policy { confidence, ..Policy::default() };
    view::View::new(AuditPlan::new().policy(policy).reference("group", "g1").run(&batch).unwrap(), "group".into())
}

fn number(entry: &Entry, key: &str) -> u64 {
    entry.param(key).unwrap().as_u64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn intervals_and_tests_are_those_of_statsmodels_and_scipy() {
    let oracle = oracle();
    let mut compared = 0;
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    // Selected and all: by sex the women and the men, by race the others and the Whites.
    let pair = |entry: &Entry| {
        if entry.0["params"].to_string().contains("sex") {
            [(540, 8109), (4196, 16282)]
        } else {
            [(451, 3481), (4285, 20910)]
        }
    };
    for entry in oracle["entries"].as_array().unwrap().iter().map(Entry) {
        let value = &entry.0["value"];
        let same_both = |ours: Option<(f64, f64)>| {
            let (low, high) = ours.unwrap();
            let theirs = numbers(value);
            assert!(same(low, theirs[0]) && same(high, theirs[1]), "{}: {ours:?}", entry.0);
        };
        let method = entry.param("method").and_then(Value::as_str).unwrap_or("");
        let compare = entry.param("compare").and_then(Value::as_str).unwrap_or("");
        let reason = match (entry.text("function"), compare, method) {
            ("proportion_confint", _, "wilson") => {
                let view = of_counts(&[(number(&entry, "count"), number(&entry, "nobs")), (1, 2)], 0.95);
                same_both(view.interval("g0", "selection_rate"));
                None
            }
            ("proportion_confint", ..) => Some("a rate's interval is Wilson's"),
            ("confint_proportions_2indep", "diff", "newcomb") | ("confint_proportions_2indep", "ratio", "score") => {
                let [x, n, y, m] = ["count1", "nobs1", "count2", "nobs2"].map(|k| number(&entry, k));
                // Miettinen and Nurminen, whom statsmodels follows for the ratio, multiply Koopman's variance by
                // N / (N - 1): the same as a slightly higher level.
                let (comparison, wider) = match compare {
                    "diff" => (Comparison::Difference, 1.0),
                    _ => (Comparison::Ratio, ((n + m) as f64 / (n + m - 1) as f64).sqrt()),
                };
                let level = 1.0 - 2.0 * Normal::standard().cdf(-wider * z_quantile(0.95));
                let view = of_counts(&[(x, n), (y, m)], level);
                same_both(view.interval_against("selection_rate", "g0", comparison, "g1"));
                None
            }
            // 0.15 is wrong: for 56/70 against 48/80 it says up to 0.3440, Newcombe (1998) 0.3382.
            ("confint_proportions_2indep", "diff", "score") | ("tost_proportions_2indep", ..) => {
                Some("wrong in statsmodels")
            }
            ("confint_proportions_2indep", ..) => Some("a difference's interval is Newcombe's, a ratio's Koopman's"),
            ("proportions_ztest", ..) => {
                let [counts, sizes] = ["count", "nobs"].map(|k| numbers(entry.param(k).unwrap()));
                let groups = [0, 1].map(|g| (counts[g] as u64, sizes[g] as u64));
                let view = of_counts(&groups, 0.95);
                let (p, name) = view.test("selection_rate", Some("g0"), "g1").unwrap();
                assert!(same(p, numbers(value)[1]) && name == "two-proportion z", "{}: {p}", entry.0);
                None
            }
            ("chi2_contingency(correction=False)", ..) => {
                let mut desk = Desk::new(&oracle["cases"]);
                let attribute = entry.param("table").unwrap().as_str().unwrap().split_once(" x ").unwrap().0;
                let question = input::Question {
                    input: entry.text("input").into(),
                    attributes: vec![attribute.into()],
                    ..Default::default()
                };
                let view = desk.ask(&question).unwrap();
                let (p, _) = view.test("selection_rate", None, "between_groups").unwrap();
                assert!(same(p, numbers(value)[1]), "{}: {p}", entry.0);
                None
            }
            ("fisher_exact", ..) => {
                let [(x, n), (y, m)] = pair(&entry);
                let (p, theirs) = (fisher_exact(x, n - x, y, m - y), numbers(value)[1]);
                // Below 1e-308 doubles lose digits.
                assert!(
                    same(p, theirs) && (p / theirs - 1.0).abs() < if theirs > 1e-300 { 1e-7 } else { 0.5 },
                    "{}: {p}",
                    entry.0
                );
                None
            }
            ("multipletests", _, method) => {
                let multiplicity = match method {
                    "holm" => Some(Multiplicity::Holm),
                    "fdr_bh" => Some(Multiplicity::BenjaminiHochberg),
                    "fdr_by" => Some(Multiplicity::BenjaminiYekutieli),
                    _ => None,
                };
                multiplicity.map_or(Some("Holm's method is better than Bonferroni's everywhere"), |m| {
                    let ours = m.adjust(&numbers(entry.param("p").unwrap()));
                    assert!(ours.iter().zip(numbers(value)).all(|(a, b)| same(*a, b)), "{}: {ours:?}", entry.0);
                    None
                })
            }
            _ => continue,
        };
        match reason {
            None => compared += 1,
            Some(reason) => *reasons.entry(reason).or_default() += 1,
        }
    }
    let expected = [
        ("Holm's method is better than Bonferroni's everywhere", 2),
        ("a difference's interval is Newcombe's, a ratio's Koopman's", 8),
        ("a rate's interval is Wilson's", 8),
        ("wrong in statsmodels", 4),
    ];
    assert_eq!((compared, reasons), (18, BTreeMap::from(expected)));
}

#[test]
fn no_entry_is_lost() {
    let oracle = oracle();
    let later: u64 = oracle["later"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    let kept = oracle["entries"].as_array().unwrap().len() as u64;
    // 287 entries of the first file and 2,690 of the second.
    assert_eq!((kept, later, kept + later), (1669, 1308, 2977));
}

#[test]
fn a_wrong_figure_would_be_seen() {
    assert!(!same(0.1, 0.1 + 2e-10) && same(0.1, 0.1 + 1e-11));
    let oracle = oracle();
    let mut desk = Desk::new(&oracle["cases"]);
    let entry = oracle["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(Entry)
        .find(|e| e.text("function") == "demographic_parity_difference");
    let entry = entry.unwrap();
    let Answer::Figure(Ok(right)) = ours(&mut desk, &entry, &[]) else { panic!() };
    let wrong = Theirs::Figure(right + 1e-6);
    assert_eq!(excuses::of(&mut desk, &entry, &[], &Ok(right), &wrong), None);
}
