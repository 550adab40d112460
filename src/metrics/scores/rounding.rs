//! What rounding of scores can do to measures of them: rows with scores that were apart may have come together.

use super::ScoredGroup;

/// The most that measures of some groups can be off.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Drift {
    /// An area under the ROC curve: half of the pairs that have come together, which is half of those now tied at most.
    pub auc: f64,
    /// A gap of two distributions: inside the rows that have come together it may have been larger, by a group's share of
    /// them at most.
    pub gap: f64,
}

/// The most over some groups.
pub(crate) fn drift<'g>(groups: impl Iterator<Item = &'g ScoredGroup>) -> Drift {
    let mut most = Drift::default();
    for group in groups {
        let weight = |label: u8| group.points.iter().filter(|p| p.label == label).map(|p| p.cell.weight).sum::<f64>();
        let (negatives, positives) = (weight(0), weight(1));
        let all = negatives + positives + weight(2);
        let (mut tied, mut largest) = (0.0, 0.0f64);
        for together in group.points.chunk_by(|a, b| a.score == b.score) {
            let of = |label: u8| together.iter().find(|p| p.label == label).map_or(0.0, |p| p.cell.weight);
            tied += of(0) * of(1);
            largest = largest.max(of(0) + of(1) + of(2));
        }
        if positives * negatives > 0.0 {
            most.auc = most.auc.max(0.5 * tied / (positives * negatives));
        }
        if all > 0.0 {
            most.gap = most.gap.max(largest / all);
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::inference::rng::stream;
    use crate::metrics::Confidence;
    use crate::metrics::scores::{auc, kolmogorov_smirnov, wasserstein};

    #[test]
    fn measures_of_rounded_scores_keep_within_the_bounds() {
        let mut rng = stream(11, 0, 0);
        let (at, mut near) = (Confidence::at(0.95), [f64::INFINITY; 3]);
        for round in 0..200 {
            let n = rng.gen_range(20..400);
            let mut draw = |shift: f64| -> (Vec<f64>, Vec<u8>) {
                (0..n).map(|_| (rng.r#gen::<f64>().powf(1.0 + shift), rng.gen_range(0..3u8))).unzip()
            };
            let (a, b) = (draw(0.0), draw(0.5));
            let lost = 2f64.powi(-(1 + round % 8));
            let bits = 52 - (1 + round % 8) as u32;
            let less =
                |s: &[f64]| -> Vec<f64> { s.iter().map(|s| f64::from_bits(s.to_bits() >> bits << bits)).collect() };
            let group = |(s, l): &(Vec<f64>, Vec<u8>)| ScoredGroup::from_rows(s, l, None);
            let fewer = |(s, l): &(Vec<f64>, Vec<u8>)| ScoredGroup::from_rows(&less(s), l, None);
            let (exact, rounded) = ([group(&a), group(&b)], [fewer(&a), fewer(&b)]);
            let bound = drift(rounded.iter());
            for (exact, rounded) in exact.iter().zip(&rounded) {
                if let (Some(x), Some(y)) = (auc(exact, at).value, auc(rounded, at).value) {
                    assert!((x - y).abs() <= bound.auc + 1e-12, "{x} and {y}: {bound:?}");
                    near[0] = near[0].min(bound.auc - (x - y).abs());
                }
            }
            let off = |of: fn(&ScoredGroup, &ScoredGroup, Confidence) -> crate::metrics::Tested| {
                let value = |g: &[ScoredGroup; 2]| of(&g[0], &g[1], at).estimate.value.unwrap();
                (value(&exact) - value(&rounded)).abs()
            };
            assert!(off(kolmogorov_smirnov) <= bound.gap + 1e-12);
            near[1] = near[1].min(bound.gap - off(kolmogorov_smirnov));
            let mean = |s: &[f64]| s.iter().sum::<f64>() / s.len() as f64;
            let moved = lost * (mean(&a.0) + mean(&b.0));
            assert!(off(wasserstein) <= moved + 1e-12);
            near[2] = near[2].min(moved - off(wasserstein));
        }
        // No bound is idle.
        assert!(near[0] < 0.02 && near[1] < 0.2 && near[2] < 0.2, "{near:?}");
    }
}
