//! Scored rows for tests: real ones from `tests/data`, and drawn ones.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::ScoredGroup;

pub(crate) fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Scores of a skewed, smooth distribution with a label drawn at the rate that `truth` gives each score.
pub(crate) fn drawn(rng: &mut StdRng, rows: usize, mean: f64, truth: impl Fn(f64) -> f64) -> ScoredGroup {
    let scores: Vec<f64> = (0..rows).map(|_| rng.gen_range(0.0f64..1.0).powf(1.0 / mean - 1.0)).collect();
    let labels: Vec<u8> = scores.iter().map(|s| u8::from(rng.gen_range(0.0..1.0) < truth(*s))).collect();
    ScoredGroup::from_rows(&scores, &labels, None)
}

/// A table of `tests/data`, its columns by name.
#[cfg(feature = "csv")]
pub(crate) struct Data {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

#[cfg(feature = "csv")]
impl Data {
    pub fn read(zipped: &[u8]) -> Self {
        use std::io::Read;
        let mut text = String::new();
        flate2::read::GzDecoder::new(zipped).read_to_string(&mut text).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        Data { names: lines.next().unwrap(), rows: lines.collect() }
    }

    pub fn german() -> Self {
        Self::read(include_bytes!("../../../tests/data/german_lr.csv.gz"))
    }

    pub fn adult() -> Self {
        Self::read(include_bytes!("../../../tests/data/adult_scored.csv.gz"))
    }

    fn at(&self, name: &str) -> usize {
        self.names.iter().position(|n| n == name).unwrap()
    }

    /// The rows whose `column` is (or is not) `value`.
    pub fn group(&self, column: &str, value: &str, is: bool) -> Data {
        let at = self.at(column);
        Data { names: self.names.clone(), rows: self.rows.iter().filter(|r| (r[at] == value) == is).cloned().collect() }
    }

    pub fn numbers(&self, column: &str) -> Vec<f64> {
        let at = self.at(column);
        self.rows.iter().map(|r| r[at].parse().unwrap()).collect()
    }

    /// Scores and labels of the rows.
    pub fn scored(&self, label: &str) -> ScoredGroup {
        let labels: Vec<u8> = self.numbers(label).iter().map(|l| *l as u8).collect();
        ScoredGroup::from_rows(&self.numbers("score"), &labels, None)
    }
}
