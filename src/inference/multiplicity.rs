//! Many findings at once: p-values adjusted for how many there are.

use serde::{Deserialize, Serialize};

/// How p-values are adjusted for being many.
///
/// # Examples
/// ```
/// use evenhand::inference::multiplicity::Multiplicity;
/// assert_eq!(Multiplicity::Holm.adjust(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
/// ```
///
/// # References
/// Holm 1979; Benjamini and Hochberg 1995; Benjamini and Yekutieli 2001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Multiplicity {
    /// Not at all.
    None,
    /// Family-wise error, whatever the dependence: p₍ᵢ₎ becomes max over j ≤ i of (m − j + 1)·p₍ⱼ₎.
    #[default]
    Holm,
    /// False discovery rate under independence: min over j ≥ i of m·p₍ⱼ₎ / j.
    BenjaminiHochberg,
    /// False discovery rate whatever the dependence: the former times Σ 1/j.
    BenjaminiYekutieli,
}

impl Multiplicity {
    /// The adjusted p-values, in the order given; each is at most 1.
    pub fn adjust(&self, p: &[f64]) -> Vec<f64> {
        let m = p.len();
        let mut order: Vec<usize> = (0..m).collect();
        order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
        let mut adjusted = p.to_vec();
        let from_top = |adjusted: &mut Vec<f64>, scale: f64| {
            let mut least = 1.0f64;
            for (rank, at) in order.iter().enumerate().rev() {
                least = least.min(scale * m as f64 * p[*at] / (rank + 1) as f64);
                adjusted[*at] = least;
            }
        };
        match self {
            Multiplicity::None => {}
            Multiplicity::Holm => {
                let mut most = 0.0f64;
                for (rank, at) in order.iter().enumerate() {
                    most = most.max(((m - rank) as f64 * p[*at]).min(1.0));
                    adjusted[*at] = most;
                }
            }
            Multiplicity::BenjaminiHochberg => from_top(&mut adjusted, 1.0),
            Multiplicity::BenjaminiYekutieli => from_top(&mut adjusted, (1..=m).map(|j| 1.0 / j as f64).sum()),
        }
        adjusted
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;

    use super::*;

    /// Benjamini and Hochberg's kind of list, with the answers of statsmodels 0.15 `multipletests`.
    #[test]
    fn statsmodels_agrees() {
        let p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216];
        for (method, expected) in [
            (Multiplicity::None, p),
            (Multiplicity::Holm, [0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615, 0.615]),
            (Multiplicity::BenjaminiHochberg, [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105714, 0.216, 0.216, 0.216]),
            (
                Multiplicity::BenjaminiYekutieli,
                [0.02929, 0.117159, 0.246033, 0.246033, 0.246033, 0.292897, 0.309634, 0.632657, 0.632657, 0.632657],
            ),
        ] {
            for (found, expected) in method.adjust(&p).iter().zip(expected) {
                assert_abs_diff_eq!(*found, expected, epsilon = 1e-6);
            }
            // The order of listing does not matter.
            let mut reversed = method.adjust(&p.iter().rev().copied().collect::<Vec<_>>());
            reversed.reverse();
            assert_eq!(reversed, method.adjust(&p));
        }
        assert!(Multiplicity::Holm.adjust(&[]).is_empty());
    }
}
