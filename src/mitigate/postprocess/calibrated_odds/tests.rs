use super::*;
use crate::data::Categorical;

fn batch(rows: &[(Option<&str>, Option<bool>, f64, f64)]) -> Batch<'static> {
    Batch::builder()
        .attribute(Categorical::from_options("g", rows.iter().map(|r| r.0)))
        .label(&rows.iter().map(|r| r.1).collect::<Vec<_>>()[..])
        .score(&rows.iter().map(|r| (!r.2.is_nan()).then_some(r.2)).collect::<Vec<_>>())
        .weight(rows.iter().map(|r| r.3).collect::<Vec<_>>())
        .build()
        .unwrap()
}

/// Three groups, each calibrated: `n` people at each of three scores, by how far apart the scores are.
fn calibrated() -> Vec<(Option<&'static str>, Option<bool>, f64, f64)> {
    let mut rows = Vec::new();
    for (group, spread, times) in [("a", 0.1, 1.0), ("b", 0.3, 2.0), ("c", 0.2, 1.0)] {
        for score in [0.5 - spread, 0.5, 0.5 + spread] {
            rows.push((Some(group), Some(true), score, times * score));
            rows.push((Some(group), Some(false), score, times * (1.0 - score)));
        }
    }
    rows
}

#[test]
fn mixing_equalises_what_was_asked_for_and_keeps_calibration() {
    let rows = calibrated();
    for cost in [ScoreCost::FalseNegativeRate, ScoreCost::FalsePositiveRate, ScoreCost::MeanError] {
        let fitted = CalibratedOdds::new(cost).fit(&batch(&rows)).unwrap();
        for group in &fitted.groups {
            // The cost is expected, so it is the mean of the two kinds of people.
            let reached = group.mix * group.trivial_cost + (1.0 - group.mix) * group.cost;
            assert!((reached - fitted.cost).abs() < 1e-12, "{cost:?} of {}", group.name());
            assert!((group.base_rate - 0.5).abs() < 1e-12);
        }
        assert_eq!(fitted.groups[0].mix, 0.0);
        assert!(fitted.groups[1].mix > fitted.groups[2].mix && fitted.groups[2].mix > 0.0);
        let text = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<CalibratedScores>(&text).unwrap(), fitted);
    }
    // By hand, of `b`: the mean of s(1 − s) twice is 2 (0.16 + 0.25 + 0.16) / 3, of `a` 2 (0.24 + 0.25 + 0.24) / 3.
    let fitted = CalibratedOdds::new(ScoreCost::MeanError).fit(&batch(&rows)).unwrap();
    assert!((fitted.groups[1].cost - 1.14 / 3.0).abs() < 1e-12 && (fitted.cost - 1.46 / 3.0).abs() < 1e-12);
    assert!((fitted.groups[1].mix - 0.32 / 0.36).abs() < 1e-12);
}

#[test]
fn as_many_are_mixed_as_said() {
    let fitted = CalibratedOdds::new(ScoreCost::MeanError).fit(&batch(&calibrated())).unwrap();
    let many: Vec<_> = (0..30_000).map(|i| (Some(["a", "b", "c"][i % 3]), None, 0.9, 1.0)).collect();
    let (many, scores) = (batch(&many), vec![0.9; 30_000]);
    let ids: Vec<u64> = (0..30_000).collect();
    let out = fitted.mix(&many, &scores, &ids, 7).unwrap();
    for (number, group) in fitted.groups.iter().enumerate() {
        let mixed = (0..10_000).filter(|k| out[3 * k + number] == group.base_rate).count();
        assert!((mixed as f64 / 1e4 - group.mix).abs() < 0.02, "{mixed} of 10,000 for {}", group.mix);
    }
    assert_eq!(out, fitted.mix(&many, &scores, &ids, 7).unwrap());
}

#[test]
fn what_cannot_be_is_said() {
    // `a` is all wrong: worse than any base rate.
    let rows = [
        (Some("a"), Some(true), 0.1, 1.0),
        (Some("a"), Some(false), 0.9, 1.0),
        (Some("b"), Some(true), 0.8, 1.0),
        (Some("b"), Some(false), 0.2, 1.0),
        (None, Some(false), 0.2, 1.0),
        (Some("b"), None, 0.2, 1.0),
        (Some("b"), Some(true), f64::NAN, 1.0),
    ];
    let fit = |rows: &[_], cost| CalibratedOdds::new(cost).fit(&batch(rows));
    let slip = fit(&rows, ScoreCost::MeanError).unwrap_err().to_string();
    assert!(slip.contains("`a` is at 0.9000") && slip.contains("`b` to 0.5000"), "{slip}");
    let slip = fit(&rows[1..], ScoreCost::FalseNegativeRate).unwrap_err().to_string();
    assert!(slip.contains("`a`") && slip.contains("a favourable label"), "{slip}");
    let one = fit(&rows[2..], ScoreCost::FalsePositiveRate).unwrap();
    assert_eq!((one.groups.len(), one.groups[0].mix, one.left_out), (1, 0.0, 3));
    let bad = batch(&[(Some("a"), Some(true), 1.5, 1.0)]);
    let slip = CalibratedOdds::new(ScoreCost::MeanError).fit(&bad).unwrap_err().to_string();
    assert!(slip.contains("1.5") && slip.contains("row 1"), "{slip}");
    let nobody = fit(&[(Some("a"), Some(true), 0.5, 0.0)], ScoreCost::MeanError).unwrap_err().to_string();
    assert!(nobody.contains("no row has a known group"), "{nobody}");
    let new = batch(&[(Some("z"), None, 0.5, 1.0)]);
    let slip = one.mix(&new, &[0.5], &[1], 1).unwrap_err().to_string();
    assert!(slip.contains("`z`") && slip.contains("row 1"), "{slip}");
    assert!(one.mix(&new, &[0.5, 0.1], &[1], 1).is_err() && one.mix(&new, &[0.5], &[], 1).is_err());
    let none = batch(&[(None, None, 0.5, 1.0), (Some("b"), None, f64::NAN, 1.0)]);
    let out = one.mix(&none, &[0.5, f64::NAN], &[1, 2], 1).unwrap();
    assert!(out[0] == 0.5 && out[1].is_nan());
}
