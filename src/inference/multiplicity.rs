//! P-values of many findings at once.

use serde::{Deserialize, Serialize};

/// How p-values are adjusted for the number of findings.
///
/// The default, Holm, bounds the chance of any false finding, for any dependence: for a family of verdicts. The two
/// others bound the share of false findings among all: for exploration.
///
/// ```
/// use evenhand::inference::multiplicity::Multiplicity;
/// assert_eq!(Multiplicity::default().adjust(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Multiplicity {
    /// As they are.
    None,
    /// Holm's step-down: `max over j <= i of (m − j + 1) p_(j)`; the family-wise error rate, for any dependence.
    #[default]
    Holm,
    /// Benjamini and Hochberg's step-up: `min over j >= i of m p_(j) / j`; the false discovery rate, for independence or
    /// positive dependence.
    BenjaminiHochberg,
    /// Benjamini and Yekutieli's: the former times `Σ 1/j`; the false discovery rate, for any dependence.
    BenjaminiYekutieli,
}

impl Multiplicity {
    /// The adjusted p-values, in the order given; each at least its raw one and at most 1.
    ///
    /// Raw values are moved into [0, 1], NaN to 1.
    ///
    /// # References
    /// Holm (1979), Scandinavian J. Statistics 6; Benjamini, Hochberg (1995), JRSS B 57; Benjamini, Yekutieli (2001),
    /// Annals of Statistics 29.
    pub fn adjust(&self, p: &[f64]) -> Vec<f64> {
        let mut p: Vec<f64> = p.iter().map(|&p| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }).collect();
        let m = p.len() as f64;
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
        match self {
            Self::None => {}
            Self::Holm => {
                let mut largest = 0.0f64;
                for (rank, &i) in order.iter().enumerate() {
                    largest = largest.max((m - rank as f64) * p[i]);
                    p[i] = largest.min(1.0);
                }
            }
            Self::BenjaminiHochberg => step_up(&mut p, &order, m),
            Self::BenjaminiYekutieli => {
                let harmonic: f64 = (1..=order.len()).map(|j| 1.0 / j as f64).sum();
                step_up(&mut p, &order, m * harmonic);
            }
        }
        p
    }
}

/// From the largest down, the smallest `factor · p_(j) / j` so far.
fn step_up(p: &mut [f64], order: &[usize], factor: f64) {
    let mut smallest = 1.0f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        smallest = smallest.min(factor * p[i] / (rank + 1) as f64);
        p[i] = smallest;
    }
}
