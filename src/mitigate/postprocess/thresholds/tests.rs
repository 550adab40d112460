use proptest::prelude::*;

use super::*;
use crate::data::Categorical;

type Row = (u8, u8, f64, f64);

fn batch(rows: &[Row]) -> Batch<'static> {
    Batch::builder()
        .attribute(Categorical::from_values("group", rows.iter().map(|r| format!("g{}", r.0))))
        .label(rows.iter().map(|r| r.1).collect::<Vec<u8>>())
        .score(rows.iter().map(|r| r.2).collect::<Vec<f64>>())
        .weight(rows.iter().map(|r| r.3).collect::<Vec<f64>>())
        .build()
        .unwrap()
}

fn rows(groups: &[(u8, &[f64], &[u8])]) -> Vec<Row> {
    let row = |(group, scores, labels): &(u8, &[f64], &[u8])| {
        scores.iter().zip(*labels).map(|(s, l)| (*group, *l, *s, 1.0)).collect::<Vec<Row>>()
    };
    groups.iter().flat_map(row).collect()
}

#[test]
fn fairlearn_mixes_the_same_thresholds() {
    // fairlearn 0.15.0: ThresholdOptimizer, accuracy.
    let of =
        batch(&rows(&[(0, &[0.0, 1.0, 2.0, 3.0, 4.0], &[1, 0, 1, 1, 1]), (1, &[0.0, 1.0, 2.0, 3.0], &[0, 1, 1, 1])]));
    let fitted = ThresholdOptimizer::new(Constraint::DemographicParity).fit(&of).unwrap();
    let [a, b] = &fitted.groups[..] else { panic!() };
    // .625 of the draws select above 1.5, .375 everybody; above 0.5 in the other group.
    let close = |mixed: &Mixed, threshold: f64, probability: f64| {
        mixed.threshold == threshold && (mixed.probability - probability).abs() < 1e-12
    };
    assert!(close(&a.thresholds[0], 2.0, 0.625) && close(&a.thresholds[1], f64::MIN, 0.375), "{:?}", a.thresholds);
    assert!(b.thresholds.len() == 1 && close(&b.thresholds[0], 1.0, 1.0), "{:?}", b.thresholds);
    let fitted = ThresholdOptimizer::new(Constraint::FalsePositiveRateParity).fit(&of).unwrap();
    assert!(close(&fitted.groups[0].thresholds[0], 2.0, 1.0) && close(&fitted.groups[1].thresholds[0], 1.0, 1.0));

    // Equalized odds of three groups, one of which has its scores upside down: rates of .334 and .66733 on fairlearn's grid,
    // accuracy .66667.
    let scores = b"00112330001111011112".map(|s| f64::from(s - b'0'));
    let labels = b"01101000010111000111".map(|y| y - b'0');
    let of =
        batch(&(0..20).map(|i| (u8::from(i >= 7) + u8::from(i >= 14), labels[i], scores[i], 1.0)).collect::<Vec<_>>());
    let upright = ThresholdOptimizer::new(Constraint::EqualizedOdds).fit(&of).unwrap();
    assert_eq!((upright.value, upright.gap()), (0.5, 0.0));
    let fitted = ThresholdOptimizer::new(Constraint::EqualizedOdds).flip(true).fit(&of).unwrap();
    assert!(fitted.gap() < 1e-12 && fitted.value >= 0.66666, "{fitted:?}");
}

/// The largest objective over a grid of common windows, each group mixing any two of its thresholds.
fn by_force(rows: &[Row], constraint: Constraint, slack: f64) -> f64 {
    let groups: std::collections::BTreeSet<u8> = rows.iter().map(|r| r.0).collect();
    let whole: f64 = rows.iter().map(|r| r.3).sum();
    let steps = 400;
    // For each group and rate of the grid the best accuracy.
    let best_at: Vec<Vec<f64>> = groups
        .iter()
        .map(|group| {
            let own: Vec<&Row> = rows.iter().filter(|r| r.0 == *group).collect();
            let mut cuts: Vec<f64> = own.iter().map(|r| r.2).chain([f64::INFINITY]).collect();
            cuts.sort_by(f64::total_cmp);
            cuts.dedup();
            let sum = |keep: &dyn Fn(&Row) -> bool| own.iter().filter(|r| keep(r)).map(|r| r.3).sum::<f64>();
            let point = |cut: f64| {
                let rate = match constraint {
                    Constraint::DemographicParity => sum(&|r| r.2 >= cut) / sum(&|_| true),
                    Constraint::EqualOpportunity => sum(&|r| r.2 >= cut && r.1 == 1) / sum(&|r| r.1 == 1),
                    _ => sum(&|r| r.2 >= cut && r.1 == 0) / sum(&|r| r.1 == 0),
                };
                (rate, sum(&|r| (r.2 >= cut) == (r.1 == 1)) / whole)
            };
            let points: Vec<(f64, f64)> = cuts.iter().map(|c| point(*c)).collect();
            let at = |rate: f64| {
                let mut best = f64::NEG_INFINITY;
                for a in &points {
                    for b in &points {
                        let way =
                            if a.0 == b.0 { if a.0 == rate { 0.0 } else { -1.0 } } else { (rate - a.0) / (b.0 - a.0) };
                        if (0.0..=1.0).contains(&way) {
                            best = best.max(a.1 + way * (b.1 - a.1));
                        }
                    }
                }
                best
            };
            (0..=steps).map(|step| at(f64::from(step) / f64::from(steps))).collect()
        })
        .collect();
    let width = (slack * f64::from(steps)).floor() as usize;
    let window = |from: usize| -> f64 {
        let to = (from + width).min(steps as usize);
        best_at.iter().map(|values| values[from..=to].iter().copied().fold(f64::NEG_INFINITY, f64::max)).sum()
    };
    (0..=steps as usize).map(window).fold(f64::NEG_INFINITY, f64::max)
}

/// Rows of which each group has both labels.
fn some_rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0u8..3, 0u8..2, 0u8..8, prop_oneof![Just(1.0), 0.2f64..3.0]);
    prop::collection::vec(row, 0..25).prop_map(|rows| {
        let both = (0..6u8).map(|i| (i / 2, i % 2, 3 + i, 1.0));
        rows.into_iter().chain(both).map(|(g, y, s, w)| (g, y, f64::from(s) / 8.0, w)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_mixture_of_thresholds_is_better(rows in some_rows(), wide in 0usize..40) {
        let slack = wide as f64 / 400.0;
        for constraint in
            [Constraint::DemographicParity, Constraint::EqualOpportunity, Constraint::FalsePositiveRateParity]
        {
            let fitted = ThresholdOptimizer::new(constraint).slack(slack).fit(&batch(&rows)).unwrap();
            let best = by_force(&rows, constraint, slack);
            prop_assert!(fitted.gap() <= slack + 1e-9, "{:?} {}", constraint, fitted.gap());
            prop_assert!(fitted.value >= best - 1e-9, "{:?} {} {}", constraint, fitted.value, best);
            prop_assert!(fitted.value <= best + 0.02, "{:?} {} {}", constraint, fitted.value, best);
            prop_assert!(fitted.value <= fitted.unconstrained + 1e-12);
        }
    }

    #[test]
    fn two_ways_to_equalized_odds_meet(rows in some_rows(), slack in 0.001f64..0.3) {
        let fit = |slack: f64, rows: &[Row]| {
            ThresholdOptimizer::new(Constraint::EqualizedOdds).slack(slack).fit(&batch(rows)).unwrap()
        };
        let exact = fit(0.0, &rows);
        let program = fit(1e-7, &rows);
        prop_assert!(exact.gap() < 1e-9 && program.gap() < 1e-6);
        prop_assert!((exact.value - program.value).abs() < 1e-5, "{} {}", exact.value, program.value);
        let wider = fit(slack, &rows);
        prop_assert!(wider.gap() <= slack + 1e-7 && wider.value >= exact.value - 1e-9);
        // Names and order of rows and groups change nothing; nor does the scale of weights.
        let turned: Vec<Row> = rows.iter().rev().map(|r| (2 - r.0, r.1, r.2, 7.0 * r.3)).collect();
        let other = fit(0.0, &turned);
        prop_assert!((other.value - exact.value).abs() < 1e-9);
    }

    #[test]
    fn probabilities_are_what_is_said(rows in some_rows()) {
        let of = batch(&rows);
        let fitted = ThresholdOptimizer::new(Constraint::EqualOpportunity).fit(&of).unwrap();
        let scores: Vec<f64> = rows.iter().map(|r| r.2).collect();
        let chances = fitted.probabilities(&of, &scores).unwrap();
        let right: f64 = rows.iter().zip(&chances).map(|(r, c)| r.3 * if r.1 == 1 { *c } else { 1.0 - c }).sum();
        prop_assert!((right / rows.iter().map(|r| r.3).sum::<f64>() - fitted.value).abs() < 1e-9);
        let one = fitted.deterministic().probabilities(&of, &scores).unwrap();
        prop_assert!(one.iter().all(|c| *c == 0.0 || *c == 1.0));
    }
}

#[test]
fn a_draw_belongs_to_a_person() {
    let of =
        batch(&rows(&[(0, &[0.0, 1.0, 2.0, 3.0, 4.0], &[1, 0, 1, 1, 1]), (1, &[0.0, 1.0, 2.0, 3.0], &[0, 1, 1, 1])]));
    let fitted = ThresholdOptimizer::new(Constraint::DemographicParity).fit(&of).unwrap();
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<GroupThresholds>(&text).unwrap(), fitted);
    let decide = |ids: &[u64], order: &[usize]| {
        let names = ["g0", "g0", "g0", "g1"];
        let scores = [0.0, 1.0, 2.0, 0.0];
        let batch = Batch::builder()
            .attribute(Categorical::from_values("group", order.iter().map(|i| names[*i])))
            .label(vec![0u8; order.len()])
            .build()
            .unwrap();
        fitted.decide(&batch, &order.iter().map(|i| scores[*i]).collect::<Vec<_>>(), ids, 11).unwrap()
    };
    let first = decide(&[7, 8, 9, 10], &[0, 1, 2, 3]);
    let second = decide(&[10, 9, 8, 7], &[3, 2, 1, 0]);
    assert_eq!(first, second.into_iter().rev().collect::<Vec<_>>());
    assert!(first[2] && !first[3]);
    let many: Vec<u64> = (0..4000).collect();
    let drawn = decide(&many, &[1; 4000]).iter().filter(|d| **d).count() as f64 / 4000.0;
    assert!((drawn - 0.375).abs() < 0.03, "{drawn}");
}

#[test]
fn slips_are_named() {
    let fit =
        |constraint, rows: &[Row]| ThresholdOptimizer::new(constraint).fit(&batch(rows)).map_err(|e| e.to_string());
    let lacking = rows(&[(0, &[0.0, 1.0], &[0, 1]), (1, &[0.0, 1.0], &[0, 0])]);
    let error = fit(Constraint::EqualOpportunity, &lacking).unwrap_err();
    assert!(error.contains("`g1`") && error.contains("favourable"), "{error}");
    let parity = fit(Constraint::DemographicParity, &lacking).unwrap();
    assert_eq!(parity.groups[1].true_positive_rate, None);
    assert!(fit(Constraint::EqualizedOdds, &lacking).is_err());
    assert!(fit(Constraint::FalsePositiveRateParity, &lacking).is_ok());
    let error = fit(Constraint::DemographicParity, &[(0, 2, 0.5, 1.0)]).unwrap_err();
    assert!(error.contains("no row has a known group"), "{error}");
    // One group, and scores that are all alike.
    let one = fit(Constraint::EqualizedOdds, &rows(&[(0, &[0.5; 4], &[0, 1, 1, 1])])).unwrap();
    assert!((one.value - 0.75).abs() < 1e-12 && one.gap() == 0.0);
    let of = batch(&lacking);
    let error = |optimizer: ThresholdOptimizer| optimizer.fit(&of).unwrap_err().to_string();
    assert!(error(ThresholdOptimizer::new(Constraint::DemographicParity).slack(2.0)).contains("gap"));
    assert!(error(ThresholdOptimizer::new(Constraint::DemographicParity).model("other")).contains("`other`"));
    let utility =
        Objective::Utility { true_positive: f64::NAN, false_positive: 0.0, false_negative: 0.0, true_negative: 0.0 };
    assert!(error(ThresholdOptimizer::new(Constraint::DemographicParity).objective(utility)).contains("utilities"));

    let decide = |unknown, levels: [Option<&str>; 2], scores: [f64; 2]| {
        let fitted = ThresholdOptimizer::new(Constraint::DemographicParity).unknown(unknown).fit(&of).unwrap();
        let attribute = Categorical::from_options("group", levels);
        let batch = Batch::builder().attribute(attribute).label([0, 0]).build().unwrap();
        fitted.decide(&batch, &scores, &[1, 2], 0).map_err(|e| e.to_string())
    };
    assert!(decide(UnknownGroup::Pooled, [Some("g0"), None], [0.0, 2.0]).unwrap()[1]);
    assert!(decide(UnknownGroup::Refused, [Some("g0"), None], [0.0, 2.0]).unwrap_err().contains("row 2"));
    let error = decide(UnknownGroup::Pooled, [Some("g0"), Some("new")], [0.0, 2.0]).unwrap_err();
    assert!(error.contains("`new`") && error.contains("row 2"), "{error}");
    assert!(decide(UnknownGroup::Pooled, [Some("g0"); 2], [0.0, f64::NAN]).unwrap_err().contains("row 2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_common_threshold_is_the_best_of_all(rows in some_rows(), slack in 0.0f64..0.6) {
        let of = batch(&rows);
        for constraint in [Constraint::DemographicParity, Constraint::EqualOpportunity, Constraint::EqualizedOdds] {
            let found = CommonThreshold::new(constraint).slack(slack).fit(&of).unwrap();
            let sum = |keep: &dyn Fn(&Row) -> bool| rows.iter().filter(|r| keep(r)).map(|r| r.3).sum::<f64>();
            let mut best = f64::NEG_INFINITY;
            let mut cuts: Vec<f64> = rows.iter().map(|r| r.2).chain([f64::MAX]).collect();
            cuts.sort_by(f64::total_cmp);
            for cut in cuts {
                let rates = |label: Option<u8>| {
                    let of = |g: u8| {
                        let with = |r: &Row| r.0 == g && label.is_none_or(|l| r.1 == l);
                        sum(&|r| with(r) && r.2 >= cut) / sum(&with)
                    };
                    let all = [of(0), of(1), of(2)];
                    all.iter().copied().fold(0.0, f64::max) - all.iter().copied().fold(1.0, f64::min)
                };
                let gap = match constraint {
                    Constraint::DemographicParity => rates(None),
                    Constraint::EqualOpportunity => rates(Some(1)),
                    _ => rates(Some(0)).max(rates(Some(1))),
                };
                if gap <= slack + 1e-12 {
                    best = best.max(sum(&|r| (r.2 >= cut) == (r.1 == 1)) / sum(&|_| true));
                }
            }
            prop_assert!(found.within && (found.value - best).abs() < 1e-9, "{:?} {:?} {}", constraint, found, best);
        }
    }
}

/// The best pair of thresholds by trying all of them: of the disadvantaged no higher than of the others.
fn best_pair(rows: &[Row], constraint: Constraint, slack: f64) -> f64 {
    let mut cuts: Vec<f64> = rows.iter().map(|r| r.2).chain([f64::MAX]).collect();
    cuts.sort_by(f64::total_cmp);
    let weight = |keep: &dyn Fn(&Row) -> bool| rows.iter().filter(|r| keep(r)).map(|r| r.3).sum::<f64>();
    let mut best = f64::NEG_INFINITY;
    for low in &cuts {
        for high in cuts.iter().filter(|high| *high >= low) {
            let selected = |r: &Row| r.2 >= if r.0 == 0 { *low } else { *high };
            let rate = |group: u8, labels: &[u8]| {
                let of = |r: &Row| r.0 == group && labels.contains(&r.1);
                weight(&|r| of(r) && selected(r)) / weight(&of)
            };
            let gap = |labels: &[u8]| (rate(0, labels) - rate(1, labels)).abs();
            let gap = match constraint {
                Constraint::DemographicParity => gap(&[0, 1]),
                Constraint::EqualOpportunity => gap(&[1]),
                Constraint::FalsePositiveRateParity => gap(&[0]),
                Constraint::EqualizedOdds => gap(&[0]).max(gap(&[1])),
            };
            if gap <= slack + 1e-12 {
                let right =
                    |label: u8| weight(&|r| r.1 == label && selected(r) == (label == 1)) / weight(&|r| r.1 == label);
                best = best.max((right(0) + right(1)) / 2.0);
            }
        }
    }
    best
}

proptest! {
    #[test]
    fn the_best_margin_is_found(
        some in prop::collection::vec((0u8..2, 0u8..2, 0u8..12, 1u8..4), 0..30),
        slack in prop::sample::select(vec![0.0, 0.1, 0.3]),
    ) {
        // Both labels in both groups.
        let mut rows: Vec<Row> = (0..4).map(|i| (i / 2, i % 2, f64::from(i) / 3.0, 1.0)).collect();
        rows.extend(some.iter().map(|r| (r.0, r.1, f64::from(r.2) / 7.0, f64::from(r.3))));
        let of = batch(&rows);
        let scores: Vec<f64> = rows.iter().map(|r| r.2).collect();
        let all = [
            Constraint::DemographicParity,
            Constraint::EqualOpportunity,
            Constraint::FalsePositiveRateParity,
            Constraint::EqualizedOdds,
        ];
        for constraint in all {
            let fitted = RejectOption::new(constraint).slack(slack).disadvantaged(["g0"]).fit(&of).unwrap();
            let expected = best_pair(&rows, constraint, slack);
            prop_assert!((fitted.value - expected).abs() < 1e-9, "{constraint:?}: {} {expected}", fitted.value);
            prop_assert!(fitted.gap <= slack + 1e-9 && fitted.lower <= fitted.upper && fitted.margin() >= 0.0);
            prop_assert!(fitted.value <= fitted.common + 1e-9 || fitted.lower < fitted.upper);
            let chosen = fitted.decide(&of, &scores).unwrap();
            let right = |label: u8| {
                let of = || rows.iter().zip(&chosen).filter(|(r, _)| r.1 == label);
                let right = of().filter(|(_, chosen)| **chosen == (label == 1));
                right.map(|(r, _)| r.3).sum::<f64>() / of().map(|(r, _)| r.3).sum::<f64>()
            };
            prop_assert!(((right(0) + right(1)) / 2.0 - fitted.value).abs() < 1e-9);
        }
    }
}

#[test]
fn margins_say_whom_they_favour_and_what_they_lack() {
    let of = batch(&rows(&[
        (0, &[0.1, 0.4, 0.3, 0.6], &[0, 1, 0, 1]),
        (1, &[0.2, 0.8, 0.7, 0.9], &[0, 0, 1, 1]),
        (2, &[0.1, 0.3, 0.5, 0.5], &[0, 1, 0, 1]),
    ]));
    let reject = |constraint| RejectOption::new(constraint).slack(0.3);
    let fitted = reject(Constraint::DemographicParity).fit(&of).unwrap();
    assert_eq!(fitted.disadvantaged, [["g0"], ["g2"]]);
    assert_eq!(fitted.others, [["g1"]]);
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<RejectRule>(&text).unwrap(), fitted);
    let said = |r: Result<RejectRule>| r.unwrap_err().to_string();
    assert!(said(reject(Constraint::EqualOpportunity).disadvantaged(["g7"]).fit(&of)).contains("`g7`"));
    let all = ["g0", "g1", "g2"].iter().fold(reject(Constraint::EqualOpportunity), |r, g| r.disadvantaged([*g]));
    assert!(said(all.fit(&of)).contains("not all of them"));
    let one = batch(&rows(&[(0, &[0.1, 0.2], &[0, 1])]));
    assert!(said(reject(Constraint::DemographicParity).fit(&one)).contains("disadvantaged"));
    let none = batch(&rows(&[(0, &[0.1, 0.2], &[0, 0]), (1, &[0.1, 0.2], &[0, 1])]));
    let slip = said(reject(Constraint::EqualizedOdds).disadvantaged(["g0"]).fit(&none));
    assert!(slip.contains("`g0`") && slip.contains("a favourable label"), "{slip}");
    assert!(said(reject(Constraint::DemographicParity).slack(2.0).fit(&of)).contains("gap"));
    let labels = [0u8, 0];
    let flat = Batch::builder()
        .attribute(Categorical::from_values("group", ["a", "b"]))
        .label(labels)
        .score([0.1, 0.2])
        .build()
        .unwrap();
    assert!(said(reject(Constraint::DemographicParity).fit(&flat)).contains("labels of both kinds"));
    // Who is not known is decided by the common threshold, or not at all.
    let strange = Batch::builder()
        .attribute(Categorical::from_options("group", [None, Some("g9")]))
        .label(labels)
        .score([0.1, 0.2])
        .build()
        .unwrap();
    let slip = fitted.decide(&strange, &[0.9, 0.9]).unwrap_err().to_string();
    assert!(slip.contains("`g9`") && slip.contains("row 2"), "{slip}");
    let refused = reject(Constraint::DemographicParity).unknown(UnknownGroup::Refused).fit(&of).unwrap();
    assert!(refused.decide(&strange, &[0.9, 0.9]).unwrap_err().to_string().contains("row 1"));
    assert!(fitted.decide(&of, &[0.1]).is_err());
    assert!(fitted.decide(&of, &[f64::NAN; 12]).is_err());
}
