use proptest::prelude::*;

use super::*;
use crate::data::{Categorical, Codes};

/// Rows as a test writes them: two attributes, label, decision, weight.
type Row = (Option<u8>, Option<u8>, u8, u8, f64);

fn rows(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Row>> {
    let level = |n: u8| prop_oneof![9 => (0..n).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((level(3), level(5), 0..3u8, 0..3u8, (0..50u32).prop_map(|w| f64::from(w) / 8.0)), n)
}

fn tally(rows: &[Row], weighted: bool) -> Tally {
    let name =
        |levels: &'static str| move |c: Option<u8>| c.map(|c| levels[usize::from(c)..=usize::from(c)].to_string());
    let a = Categorical::from_options("a", rows.iter().map(|r| r.0).map(name("xyz")));
    let b = Categorical::from_options("b", rows.iter().map(|r| r.1).map(name("pqrst")));
    let label: Vec<u8> = rows.iter().map(|r| r.2).collect();
    let decision: Vec<u8> = rows.iter().map(|r| r.3).collect();
    let weight: Vec<f64> = rows.iter().map(|r| r.4).collect();
    let mut batch = Batch::builder().attribute(a).stratum(b).label(&label).decision(&decision);
    if weighted {
        batch = batch.weight(&weight);
    }
    Tally::of(&batch.build().unwrap()).unwrap()
}

/// Counted by a plain loop over the rows.
fn naive(rows: &[Row], a: Option<u8>, label: u8, decision: u8) -> (f64, f64, f64) {
    let of = |r: &&Row| r.0 == a && r.2 == label && r.3 == decision;
    let picked: Vec<f64> = rows.iter().filter(of).map(|r| r.4).collect();
    (picked.len() as f64, picked.iter().sum(), picked.iter().map(|w| w * w).sum())
}

proptest! {
    #[test]
    fn counts_are_those_of_a_plain_loop(rows in rows(1..300)) {
        let tally = tally(&rows, true);
        let margin = tally.margin(0, &[0]);
        for group in margin.groups.iter().chain([&margin.missing]) {
            let a = group.levels.first().map(|l| "xyz".find(&tally.schema().attributes[0].levels[*l]).unwrap() as u8);
            for label in 0..3 {
                for decision in 0..3 {
                    let cell = group.whole.cells[label][decision];
                    let (n, w, w2) = naive(&rows, a, label as u8, decision as u8);
                    prop_assert_eq!(cell.rows, n);
                    // Eighths add exactly in any order.
                    prop_assert_eq!((cell.weight, cell.weight_squared), (w, w2));
                }
            }
        }
    }

    #[test]
    fn any_split_merges_to_the_whole_and_subtracts_again(rows in rows(3..200), cut in 1..199usize, weighted: bool) {
        let cut = cut.min(rows.len() - 1);
        let (first, second) = (tally(&rows[..cut], weighted), tally(&rows[cut..], weighted));
        let mut merged = first.clone();
        merged.merge(&second).unwrap();
        let whole = tally(&rows, weighted);
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(merged.digest(), whole.digest());
        let mut other_way = second.clone();
        other_way.merge(&first).unwrap();
        prop_assert_eq!(&other_way, &merged);
        merged.subtract(&second).unwrap();
        prop_assert_eq!(merged.rows(), first.rows());
        let counts = |t: &Tally| t.whole(0).whole;
        prop_assert_eq!(counts(&merged), counts(&first));
    }

    #[test]
    fn a_stream_of_chunks_is_the_whole(rows in rows(5..200), step in 1..60usize) {
        let mut stream = Accumulator::new(Limits::default());
        let mut levels: Vec<String> = Vec::new();
        for chunk in rows.chunks(step) {
            let codes: Vec<u32> = chunk.iter().map(|r| r.0.map_or(u32::MAX, |a| {
                let name = format!("l{a}");
                levels.iter().position(|l| *l == name).unwrap_or_else(|| { levels.push(name); levels.len() - 1 }) as u32
            })).collect();
            let a = Categorical::from_codes("a", levels.clone(), codes).unwrap();
            let decision: Vec<u8> = chunk.iter().map(|r| r.3).collect();
            stream.update(&Batch::builder().attribute(a).decision(&decision).build().unwrap()).unwrap();
        }
        let a = Categorical::from_options("a", rows.iter().map(|r| r.0.map(|a| format!("l{a}"))));
        let decision: Vec<u8> = rows.iter().map(|r| r.3).collect();
        let whole = Tally::of(&Batch::builder().attribute(a).decision(&decision).build().unwrap()).unwrap();
        prop_assert_eq!(stream.finish().unwrap().unwrap(), whole);
    }

    #[test]
    fn a_tally_survives_json(rows in rows(1..100), weighted: bool) {
        let tally = tally(&rows, weighted);
        let text = serde_json::to_string(&tally).unwrap();
        prop_assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
    }
}

/// `n` rows of three attributes as byte codes, made by a fixed recipe.
fn columns(n: usize) -> ([Vec<u8>; 3], Vec<u8>, Vec<u8>, Vec<f64>) {
    let at = |i: usize, salt: u64| ((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ salt) >> 40) as usize;
    let codes = |radix: usize, salt| (0..n).map(|i| (at(i, salt) % radix) as u8).collect::<Vec<u8>>();
    let weight = (0..n).map(|i| (at(i, 77) % 1000) as f64 / 300.0).collect();
    ([codes(2, 1), codes(5, 2), codes(6, 3)], codes(2, 4), codes(2, 5), weight)
}

fn large(n: usize, weighted: bool) -> Tally {
    let (attributes, label, decision, weight) = columns(n);
    let mut batch = Batch::builder().label(&label).decision(&decision);
    for (name, (codes, levels)) in ["a", "b", "c"].into_iter().zip(attributes.iter().zip([2, 5, 6])) {
        let levels = (0..levels).map(|l| l.to_string());
        batch = batch.attribute(Categorical::from_codes(name, levels, Codes::from(codes)).unwrap());
    }
    if weighted {
        batch = batch.weight(&weight);
    }
    Tally::of(&batch.build().unwrap()).unwrap()
}

#[test]
fn the_answer_does_not_depend_on_the_threads() {
    for weighted in [false, true] {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| large(2_300_001, weighted))
        };
        let one = with(1);
        assert_eq!(one, with(2));
        assert_eq!(one, with(5));
        assert_eq!(one.rows(), 2_300_001);
    }
}

/// Columns of every width, with and without gaps, crossed with every kind of label and decision.
#[test]
fn every_layout_counts_as_a_plain_loop() {
    use crate::data::{Model, Top};
    use std::collections::BTreeMap;

    let n = 600;
    let at = |i: usize, salt: usize| (i * 7919 + salt * 104_729 + i * i * salt) % 1013;
    // Levels, and every how-manieth row is missing.
    let narrow: &[(usize, usize)] = &[(2, 0), (5, 7), (1, 0)];
    let middle: &[(usize, usize)] = &[(40, 0), (300, 11), (3, 0)];
    let sparse: &[(usize, usize)] = &[(400, 5), (400, 0), (70_000, 3)];
    let many: &[(usize, usize)] = &[(2, 0); 9];
    let label = |gaps: bool| (0..n).map(|i| (at(i, 21) % if gaps { 3 } else { 2 }) as u8).collect::<Vec<_>>();
    let scores: Vec<Option<f64>> = (0..n).map(|i| (i % 13 > 0).then(|| (at(i, 22) % 10) as f64)).collect();
    let whole: Vec<f64> = scores.iter().map(|s| s.unwrap_or(3.0)).collect();
    let weight: Vec<f64> = (0..n).map(|i| (at(i, 23) % 40) as f64 / 8.0).collect();
    for columns in [narrow, middle, sparse, many] {
        let code = |i: usize, c: usize| {
            let (levels, gaps) = columns[c];
            if gaps > 0 && i % gaps == 1 { u32::MAX } else { (at(i, c + 1) % levels) as u32 }
        };
        for labels in [None, Some(label(false)), Some(label(true))] {
            for decided in 0..5 {
                for weighted in [false, true] {
                    let mut batch = Batch::builder();
                    for (c, (levels, _)) in columns.iter().enumerate() {
                        let codes: Vec<u32> = (0..n).map(|i| code(i, c)).collect();
                        // Missing stays missing in a narrower type.
                        let codes = match levels {
                            ..255 => Codes::U8(codes.iter().map(|c| *c as u8).collect()),
                            255..65_535 => Codes::U16(codes.iter().map(|c| *c as u16).collect()),
                            _ => codes.into(),
                        };
                        let levels = (0..*levels).map(|l| format!("l{l:05}"));
                        batch = batch.attribute(Categorical::from_codes(format!("c{c}"), levels, codes).unwrap());
                    }
                    let (model, state): (Option<Model>, Vec<u8>) = match decided {
                        0 => (None, vec![2; n]),
                        1 => (Some(Model::decision("m", label(false))), label(false)),
                        2 => (Some(Model::decision("m", label(true))), label(true)),
                        3 => (
                            Some(Model::threshold("m", &scores[..], 4.0)),
                            scores.iter().map(|s| s.map_or(2, |s| u8::from(s >= 4.0))).collect(),
                        ),
                        _ => {
                            let best = whole.iter().filter(|s| **s > 6.0).count() + 3;
                            let state = |s: &f64| if *s > 6.0 { 1 } else { 3 * u8::from(*s == 6.0) };
                            (
                                Some(Model::top("m", &whole[..], Top::Count(best as u64))),
                                whole.iter().map(state).collect(),
                            )
                        }
                    };
                    if labels.is_none() && model.is_none() {
                        continue;
                    }
                    let mut expected: BTreeMap<(Vec<usize>, usize), (u64, [f64; 2])> = BTreeMap::new();
                    for i in 0..n {
                        let digits = (0..columns.len()).map(|c| code(i, c).wrapping_add(1) as usize).collect();
                        let label = labels.as_ref().map_or(2, |l| l[i]);
                        let cell =
                            expected.entry((digits, usize::from(label) * 4 + usize::from(state[i]))).or_default();
                        let w = if weighted { weight[i] } else { 0.0 };
                        cell.0 += 1;
                        cell.1[0] += w;
                        cell.1[1] += w * w;
                    }
                    if let Some(labels) = &labels {
                        batch = batch.label(labels);
                    }
                    batch = if weighted { batch.weight(&weight) } else { batch };
                    batch = model.into_iter().fold(batch, |batch, model| batch.model(model));
                    let tally = Tally::of(&batch.build().unwrap()).unwrap();
                    let radices = tally.schema.radices();
                    let mut found = BTreeMap::new();
                    for (group, key) in tally.groups.iter().enumerate() {
                        for slot in 0..SLOTS {
                            let at = group * SLOTS + slot;
                            let weights = tally.tables[0].weights.as_ref().map_or([0.0; 2], |w| w[at]);
                            if tally.tables[0].rows[at] > 0 {
                                let digits = Tally::decode(*key, &radices);
                                found.insert((digits, slot), (tally.tables[0].rows[at], weights));
                            }
                        }
                    }
                    assert!(found == expected, "{columns:?}, label {}, decided {decided}", labels.is_some());
                }
            }
        }
    }
}

#[test]
fn a_huge_sparse_intersection_is_kept_and_one_too_large_is_refused() {
    let levels: Vec<String> = (0..10_000).map(|i| format!("l{i:05}")).collect();
    let codes: Vec<u32> = (0..30_000u32).map(|i| i % 10_000).collect();
    let column = |name: &str| Categorical::from_codes(name, levels.clone(), codes.clone()).unwrap();
    let decision = vec![1u8; codes.len()];
    let batch =
        Batch::builder().attribute(column("zip")).attribute(column("shop")).decision(&decision).build().unwrap();
    let tally = Tally::of(&batch).unwrap();
    assert_eq!((tally.occupied(), tally.margin(0, &[1]).groups.len()), (10_000, 10_000));
    assert!(tally.margin(0, &[0]).groups.iter().all(|g| g.whole.selected().rows == 3.0));

    let error = Tally::with_limits(&batch, Limits { max_cells: 500, ..Limits::default() }).unwrap_err().to_string();
    assert!(error.contains("`zip` (10000 levels) × `shop`") && error.contains("500"), "{error}");
    let mut many = Batch::builder().decision(&decision);
    for i in 0..6 {
        many = many.attribute(column(&format!("c{i}")));
    }
    assert!(matches!(Tally::of(&many.build().unwrap()), Err(Error::TooManyCells { .. })));
}

#[test]
fn ties_at_the_edge_of_a_selection_count_in_part() {
    let group = Categorical::from_values("g", ["a", "a", "b", "b", "b"]);
    let scores = [0.9, 0.5, 0.5, 0.5, 0.1];
    let model = crate::data::Model::top("best 2", &scores[..], crate::data::Top::Count(2));
    let tally = Tally::of(&Batch::builder().attribute(group).model(model).build().unwrap()).unwrap();
    let selected: Vec<f64> = tally.margin(0, &[0]).groups.iter().map(|g| g.whole.selected().rows).collect();
    assert!((selected[0] - 4.0 / 3.0).abs() < 1e-12 && (selected[1] - 2.0 / 3.0).abs() < 1e-12, "{selected:?}");
    assert!((tally.whole(0).whole.selected().rows - 2.0).abs() < 1e-12);
}

#[test]
fn different_questions_do_not_merge() {
    let of = |name: &str, levels: [&str; 2]| {
        let column = Categorical::from_codes(name, levels, vec![0u8, 1]).unwrap().ordered();
        Tally::of(&Batch::builder().attribute(column).decision([0, 1]).build().unwrap()).unwrap()
    };
    let mut a = of("age", ["<=25", ">25"]);
    let before = a.clone();
    for (other, says) in [(of("sex", ["<=25", ">25"]), "attributes"), (of("age", ["<=30", ">30"]), "bands")] {
        assert!(a.merge(&other).unwrap_err().to_string().contains(says));
    }
    assert_eq!(a, before);
    let twice = {
        let mut t = a.clone();
        t.merge(&a).unwrap();
        t
    };
    assert!(matches!(a.subtract(&twice), Err(Error::Negative { group }) if group == "<=25"));
    assert_eq!(a, before);
}

#[test]
fn damaged_tallies_are_refused() {
    let tally = large(100, true);
    let good = serde_json::to_value(&tally).unwrap();
    for (pointer, value) in [
        ("/rows", serde_json::json!(99)),
        ("/groups/0", serde_json::json!(u64::MAX)),
        ("/tables", serde_json::json!([])),
        ("/tables/0/weights", serde_json::Value::Null),
        ("/tables/0/weights/0/0", serde_json::json!(-1.0)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(serde_json::from_value::<Tally>(bad).is_err(), "{pointer}");
    }
}
