use approx::assert_relative_eq;

use super::super::simulate::{draw, holds, refs, rng};
use super::*;
use crate::inference::bootstrap::Bootstrap;

const AT: f64 = 0.95;

/// UCI Adult's five clusters against five classes, by sex (female, male): `[class][segment]`.
const SEX: [[[f64; 5]; 5]; 2] = [
    [
        [10.0, 35.0, 406.0, 648.0, 468.0],
        [20.0, 55.0, 340.0, 0.0, 1150.0],
        [31.0, 72.0, 467.0, 0.0, 1217.0],
        [137.0, 67.0, 345.0, 0.0, 1180.0],
        [414.0, 84.0, 146.0, 0.0, 817.0],
    ],
    [
        [48.0, 327.0, 350.0, 1644.0, 943.0],
        [141.0, 498.0, 272.0, 0.0, 2402.0],
        [292.0, 471.0, 327.0, 0.0, 2001.0],
        [1043.0, 329.0, 231.0, 0.0, 1546.0],
        [2464.0, 141.0, 136.0, 0.0, 676.0],
    ],
];

/// The same by race (Amer-Indian-Eskimo, Asian-Pac-Islander, Black, Other, White).
const RACE: [[[f64; 5]; 5]; 5] = [
    [
        [1.0, 9.0, 10.0, 24.0, 15.0],
        [2.0, 2.0, 7.0, 0.0, 42.0],
        [5.0, 5.0, 8.0, 0.0, 38.0],
        [5.0, 3.0, 2.0, 0.0, 31.0],
        [4.0, 1.0, 1.0, 0.0, 8.0],
    ],
    [
        [2.0, 5.0, 12.0, 57.0, 32.0],
        [1.0, 15.0, 13.0, 0.0, 59.0],
        [5.0, 19.0, 23.0, 0.0, 92.0],
        [36.0, 12.0, 14.0, 0.0, 96.0],
        [166.0, 8.0, 28.0, 0.0, 76.0],
    ],
    [
        [1.0, 23.0, 87.0, 292.0, 197.0],
        [10.0, 25.0, 72.0, 0.0, 418.0],
        [13.0, 27.0, 74.0, 0.0, 392.0],
        [52.0, 14.0, 43.0, 0.0, 268.0],
        [121.0, 18.0, 10.0, 0.0, 129.0],
    ],
    [
        [0.0, 2.0, 7.0, 49.0, 13.0],
        [1.0, 1.0, 4.0, 0.0, 33.0],
        [0.0, 2.0, 5.0, 0.0, 23.0],
        [3.0, 6.0, 7.0, 0.0, 19.0],
        [12.0, 1.0, 2.0, 0.0, 11.0],
    ],
    [
        [54.0, 323.0, 640.0, 1870.0, 1154.0],
        [147.0, 510.0, 516.0, 0.0, 3000.0],
        [300.0, 490.0, 684.0, 0.0, 2673.0],
        [1084.0, 361.0, 510.0, 0.0, 2312.0],
        [2575.0, 197.0, 241.0, 0.0, 1269.0],
    ],
];

/// KEEL's marketing data in three predicted and true income classes, by sex (female, male).
const INCOME: [[[f64; 3]; 3]; 2] = [
    [[610.0, 115.0, 70.0], [124.0, 265.0, 229.0], [90.0, 115.0, 607.0]],
    [[362.0, 129.0, 36.0], [131.0, 266.0, 133.0], [105.0, 149.0, 464.0]],
];

fn groups<const K: usize>(tables: &[[[f64; K]; K]]) -> Vec<SegmentCounts> {
    let group = |table: &[[f64; K]; K]| SegmentCounts {
        segments: K,
        cells: table.iter().flatten().map(|n| Cell::of_rows(*n)).collect(),
        unassigned: Cell::default(),
    };
    tables.iter().map(group).collect()
}

type Figure = fn(&[&SegmentCounts], Aggregation, Confidence) -> Tested;
const FIGURES: [Figure; 4] =
    [multiclass_statistical_parity, multiclass_equality_of_opportunity, multiclass_average_odds, multiclass_true_rates];

#[test]
fn real_confusions_agree_with_holisticai() {
    // holisticai 1.0.14, multiclass_*: statistical parity, equality of opportunity, average odds, true rates.
    let sex = [0.2603847900933493, 0.2513909885720541, 0.2481448686462573, 0.12803935931842841];
    let income = [0.08400696312707709, 0.10701061757068057, 0.08021442536687673, 0.08492339052091234];
    for (tables, mean, max) in [
        (groups(&SEX), sex, sex),
        (groups(&INCOME), income, income),
        (
            groups(&RACE),
            [0.14405966576581566, 0.13635882429540488, 0.08550228161997395, 0.050281321975492885],
            [0.2159141585900984, 0.17595259903169197, 0.1221618827129636, 0.09098916437615352],
        ),
    ] {
        for ((f, mean), max) in FIGURES.iter().zip(mean).zip(max) {
            let value = |how| f(&refs(&tables), how, Confidence::at(AT)).estimate.value.unwrap();
            assert_relative_eq!(value(Aggregation::Mean), mean, epsilon = 1e-12);
            assert_relative_eq!(value(Aggregation::Max), max, epsilon = 1e-12);
        }
    }
}

#[test]
fn order_units_and_empty_groups_do_not_matter() {
    let tables = groups(&RACE);
    let confidence = Confidence::at(AT);
    let mut turned: Vec<SegmentCounts> = tables.iter().rev().cloned().collect();
    let empty = SegmentCounts { segments: 5, cells: vec![Cell::default(); 25], unassigned: Cell::default() };
    turned.insert(2, empty.clone());
    for cell in turned.iter_mut().flat_map(|g| &mut g.cells) {
        *cell = Cell { rows: cell.rows, weight: 2.0 * cell.weight, weight_squared: 4.0 * cell.weight_squared };
    }
    for (i, f) in FIGURES.iter().enumerate() {
        let of = |tables: &[SegmentCounts]| f(&refs(tables), Aggregation::Mean, confidence).estimate.value.unwrap();
        assert_relative_eq!(of(&tables), of(&turned), epsilon = 1e-12);
        let reason = |tables: &[&SegmentCounts]| f(tables, Aggregation::Max, confidence).estimate.reason;
        assert_eq!(reason(&[]), Some(Undefined::NoRows));
        assert_eq!(reason(&[&empty, &tables[0]]), Some(Undefined::TooFewGroups));
        let classless = SegmentCounts::of_rows(&[3.0, 4.0]);
        assert_eq!(reason(&[&classless, &classless]), (i > 0).then_some(Undefined::NoClasses));
        let one = |class: usize| SegmentCounts {
            segments: 2,
            cells: (0..4).map(|c| Cell::of_rows(if c / 2 == class { 5.0 } else { 0.0 })).collect(),
            unassigned: Cell::default(),
        };
        assert_eq!(reason(&[&one(0), &one(1)]), (i > 0).then_some(Undefined::NoOverlap));
    }
    for f in [separation, sufficiency, separation_corrected, sufficiency_corrected] {
        let of = |tables: &[SegmentCounts]| f(&refs(tables), confidence).estimate.value.unwrap();
        assert_relative_eq!(of(&tables), of(&turned), epsilon = 1e-12);
        let classless = SegmentCounts::of_rows(&[3.0, 4.0]);
        assert_eq!(f(&[&classless, &classless], confidence).estimate.reason, Some(Undefined::NoClasses));
        assert_eq!(f(&[&empty], confidence).estimate.reason, Some(Undefined::NoRows));
    }
}

#[test]
fn rates_of_each_class_in_a_small_table() {
    let table = &groups(&[[[5.0, 1.0, 0.0], [2.0, 6.0, 0.0], [1.0, 1.0, 0.0]]])[0];
    let confidence = Confidence::at(AT);
    let rates = class_rates(table, confidence);
    assert_eq!(rates[1].recall.value, Some(0.75));
    assert_eq!(rates[1].precision.value, Some(0.75));
    assert_eq!(rates[1].false_positive_rate.value, Some(2.0 / 8.0));
    assert_eq!(rates[2].recall.value, Some(0.0));
    assert_eq!(rates[2].precision.value(), Err(Undefined::NobodyInSegment));
    assert_eq!(class_accuracy(table, confidence).value, Some(11.0 / 16.0));
    assert_relative_eq!(macro_recall(table, confidence).value.unwrap(), (5.0 / 6.0 + 0.75) / 3.0, epsilon = 1e-12);
    assert_eq!(macro_precision(table, confidence).value(), Err(Undefined::UndefinedPart));
    assert_eq!(macro_recall(&SegmentCounts::of_rows(&[1.0, 2.0]), confidence).value(), Err(Undefined::NoClasses));
    assert_eq!(macro_recall(&SegmentCounts::default(), confidence).value(), Err(Undefined::NoRows));
    assert!(class_rates(&SegmentCounts::default(), confidence).is_empty());
    // Two classes: the catalog's balanced accuracy.
    let two = &groups(&[[[9.0, 2.0], [3.0, 6.0]]])[0];
    assert_relative_eq!(macro_recall(two, confidence).value.unwrap(), (6.0 / 9.0 + 9.0 / 11.0) / 2.0, epsilon = 1e-12);
}

#[test]
fn a_right_segmentation_is_separated_and_sufficient() {
    let right = groups(&[[[9.0, 0.0], [0.0, 6.0]], [[2.0, 0.0], [0.0, 30.0]]]);
    for f in [separation, sufficiency] {
        assert_eq!(f(&refs(&right), Confidence::at(AT)).estimate.value, Some(0.0));
    }
}

#[test]
fn intervals_hold_what_is_there_and_fair_groups_are_rarely_accused() {
    let good: [&[f64]; 3] = [&[0.8, 0.15, 0.05], &[0.2, 0.6, 0.2], &[0.05, 0.25, 0.7]];
    let bad: [&[f64]; 3] = [&[0.6, 0.3, 0.1], &[0.2, 0.6, 0.2], &[0.2, 0.25, 0.55]];
    let confidence = Confidence { bootstrap: Bootstrap { replicates: 150, seed: 1 }, ..Confidence::at(AT) };
    let mut rng = rng(21);
    let of = |rows: Vec<f64>| SegmentCounts {
        segments: 3,
        cells: rows.into_iter().map(Cell::of_rows).collect(),
        unassigned: Cell::default(),
    };
    for (sizes, tables) in [
        ([100, 80, 60], [good; 3]),
        ([100, 80, 60], [good, bad, good]),
        ([15, 12, 10], [good; 3]),
        ([30, 25, 20], [good, bad, good]),
    ] {
        let exact: Vec<_> = (0..3)
            .map(|i| of(tables[i].iter().flat_map(|s| s.iter().map(|p| p * 1e6 * sizes[i] as f64)).collect()))
            .collect();
        let how = [Aggregation::Mean, Aggregation::Max];
        let truth = FIGURES.map(|f| how.map(|how| f(&refs(&exact), how, confidence).estimate.value.unwrap()));
        let (rounds, mut covered, mut accused) = (250, [[0.0; 2]; 4], [[0.0; 2]; 4]);
        for _ in 0..rounds {
            let drawn: Vec<_> =
                (0..3).map(|i| of(tables[i].iter().flat_map(|s| draw(&mut rng, sizes[i], s)).collect())).collect();
            for (f, figure) in FIGURES.iter().enumerate() {
                for (h, how) in how.iter().enumerate() {
                    let t = figure(&refs(&drawn), *how, confidence);
                    covered[f][h] += f64::from(u8::from(holds(&t.estimate, truth[f][h]))) / f64::from(rounds);
                    accused[f][h] += f64::from(u8::from(t.p_value.unwrap() < 0.05)) / f64::from(rounds);
                }
            }
        }
        assert!(covered.iter().flatten().all(|c| *c > 0.905), "{sizes:?} {covered:?}");
        assert!(tables[1] == bad || accused.iter().flatten().all(|a| *a < 0.095), "{sizes:?} {accused:?}");
    }
}
