//! Lookalike audiences: does the expansion of a seed audience skew it further?

use crate::inference::special::normal_sf;
use crate::inference::z_quantile;
use crate::metrics::{Estimate, Support, Tested, Undefined};

/// The skew of an expanded audience and where it comes from, in log odds: `whole = seed + amplification`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookalike {
    /// What the expansion adds: `ln odds(expanded) − ln odds(seed)`, with the test that it adds nothing.
    pub amplification: Tested,
    /// What the seed brought: `ln odds(seed) − ln odds(eligible)`.
    pub seed: Tested,
    /// Both: `ln odds(expanded) − ln odds(eligible)`.
    pub whole: Tested,
}

/// A group's people among all: `(of the group, of all)`.
pub type GroupOfAll = (f64, f64);

/// The log-odds amplification of a lookalike audience; any finite number, 0 where the expansion keeps the seed's share.
///
/// The eligible population is known, so its odds have no variance; those of seed and expanded audience have
/// `1/x + 1/(n − x)` each. Intervals and tests are Wald's on the log-odds scale. A part is undefined where the group is
/// nobody or everybody on one of its sides ([`Undefined::OverZero`]), or a count is out of range
/// ([`Undefined::NotFinite`]). People of the seed should not be counted again in the expanded audience.
///
/// # References
/// Sapiezynski, Ghosh, Kaplan, Rieke, Mislove (2022), Algorithms that "don't see color", AIES '22 (skew of lookalike
/// and special audiences; the log-odds decomposition is ours). Woolf (1955), Annals of Human Genetics 19 (the variance).
///
/// # Examples
/// ```
/// let found = evenhand::metrics::delivery::lookalike((50_000.0, 100_000.0), (300.0, 1000.0), (2000.0, 10_000.0), 0.95);
/// // Odds of 1/1, 3/7 and 1/4.
/// assert!((found.amplification.estimate.value.unwrap() - (7.0f64 / 12.0).ln()).abs() < 1e-12);
/// assert!((found.whole.estimate.value.unwrap() - 0.25f64.ln()).abs() < 1e-12);
/// ```
pub fn lookalike(eligible: GroupOfAll, seed: GroupOfAll, expanded: GroupOfAll, level: f64) -> Lookalike {
    with_noise(eligible, seed, expanded, [0.0; 2], level)
}

/// The same with noise of these variances in the group's counts and in the others' counts.
pub(super) fn with_noise(
    eligible: GroupOfAll,
    seed: GroupOfAll,
    expanded: GroupOfAll,
    noise: [f64; 2],
    level: f64,
) -> Lookalike {
    // A known population's odds vary by noise alone.
    let known = odds(eligible).map(|(logit, _, n)| (logit, blurred(eligible, noise), n));
    let [seed, expanded] = [seed, expanded].map(|s| odds(s).map(|(logit, v, n)| (logit, v + blurred(s, noise), n)));
    Lookalike {
        amplification: apart(expanded, seed, level),
        seed: apart(seed, known, level),
        whole: apart(expanded, known, level),
    }
}

/// What noise adds to the variance of log odds, by the delta method.
fn blurred((x, n): GroupOfAll, [own, others]: [f64; 2]) -> f64 {
    own / (x * x) + others / ((n - x) * (n - x))
}

/// Log odds, their variance, and how many people.
type Odds = Result<(f64, f64, f64), Undefined>;

fn odds((x, n): GroupOfAll) -> Odds {
    let others = n - x;
    if !(x >= 0.0 && others >= 0.0 && n.is_finite()) {
        Err(Undefined::NotFinite)
    } else if n == 0.0 {
        Err(Undefined::NoRows)
    } else if x == 0.0 || others == 0.0 {
        Err(Undefined::OverZero)
    } else {
        Ok(((x / others).ln(), 1.0 / x + 1.0 / others, n))
    }
}

fn apart(first: Odds, second: Odds, level: f64) -> Tested {
    match (first, second) {
        (Ok((a, va, n)), Ok((b, vb, m))) => {
            let rows = n + m;
            let se = (va + vb).sqrt();
            let half = z_quantile(level) * se;
            let support = Support { rows, weight: rows, effective_size: rows };
            let p = (2.0 * normal_sf((a - b).abs() / se)).min(1.0);
            Tested::by(Estimate::of(a - b, support).between(a - b - half, a - b + half), p, "Wald, log odds")
        }
        (Err(why), _) | (_, Err(why)) => Tested::untested(Estimate::undefined(why, Support::default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::rng::{binomial, stream};

    #[test]
    fn parts_add_up_and_cover() {
        let mut rng = stream(5, 0, 0);
        let (mut covered, mut wrong) = (0, 0);
        for _ in 0..2000 {
            let seed = (binomial(&mut rng, 400.0, 0.3), 400.0);
            let expanded = (binomial(&mut rng, 5000.0, 0.3), 5000.0);
            let found = lookalike((4e5, 1e6), seed, expanded, 0.95);
            let [a, s, w] = [&found.amplification, &found.seed, &found.whole].map(|t| t.estimate.value.unwrap());
            assert!((a + s - w).abs() < 1e-12);
            let (low, high) = found.amplification.estimate.interval().unwrap();
            covered += usize::from(low <= 0.0 && 0.0 <= high);
            wrong += usize::from(found.amplification.p_value.unwrap() < 0.05);
        }
        assert!((1870..1930).contains(&covered) && (70..130).contains(&wrong), "{covered} {wrong}");
    }

    #[test]
    fn nasty_input_is_undefined() {
        let reason = |s| lookalike((4.0, 10.0), s, (3.0, 9.0), 0.95).amplification.estimate.reason;
        assert_eq!(reason((0.0, 5.0)), Some(Undefined::OverZero));
        assert_eq!(reason((5.0, 5.0)), Some(Undefined::OverZero));
        assert_eq!(reason((0.0, 0.0)), Some(Undefined::NoRows));
        assert_eq!(reason((6.0, 5.0)), Some(Undefined::NotFinite));
        assert_eq!(reason((f64::NAN, 5.0)), Some(Undefined::NotFinite));
    }
}
