//! Made-up columns of byte codes, and the shapes that they are counted in.

use evenhand::data::{Batch, Categorical, Segments};
use evenhand::tally::Tally;

/// A number as good as random for a row and a column.
pub fn mix(row: usize, salt: u64) -> u64 {
    let mut z = (row as u64).wrapping_add(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33
}

/// Codes below a number.
pub fn codes(rows: usize, levels: usize, salt: u64) -> Vec<u8> {
    (0..rows).map(|row| (mix(row, salt) % levels as u64) as u8).collect()
}

/// Columns of byte codes, with the number of levels of each.
pub struct Columns {
    pub attributes: Vec<(Vec<u8>, usize)>,
    pub label: Vec<u8>,
    pub decision: Vec<u8>,
    pub weight: Vec<f64>,
    pub score: Vec<f64>,
}

pub fn columns(rows: usize, levels: &[usize]) -> Columns {
    Columns {
        attributes: levels.iter().enumerate().map(|(i, l)| (codes(rows, *l, i as u64 + 1), *l)).collect(),
        label: codes(rows, 2, 101),
        decision: codes(rows, 2, 102),
        weight: (0..rows).map(|i| (mix(i, 103) % 1000) as f64 / 500.0).collect(),
        score: (0..rows).map(|i| (mix(i, 104) % 10_000) as f64 / 10_000.0).collect(),
    }
}

/// What is counted.
#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    Decisions,
    Weighted,
    /// With scores of 10,000 values.
    Scored,
    /// With scores of 1,024 values.
    Binned,
    /// The last of the columns is a segment; there is neither label nor decision.
    Segments,
}

/// What the crate does, the building and checking of the batch included.
pub fn evenhand(c: &Columns, shape: Shape) -> u64 {
    count(&batch(c, shape))
}

/// Counts a batch that was checked before.
pub fn count(batch: &Batch) -> u64 {
    Tally::of(batch).expect("few cells").rows()
}

/// Builds and checks a batch.
pub fn batch(c: &Columns, shape: Shape) -> Batch<'_> {
    let mut batch = Batch::builder();
    if shape != Shape::Segments {
        let model = evenhand::data::Model::decision("d", &c.decision);
        batch = batch.label(&c.label).model(if matches!(shape, Shape::Scored | Shape::Binned) {
            model.with_score(&c.score)
        } else {
            model
        });
    }
    for (i, (codes, levels)) in c.attributes.iter().enumerate() {
        let names = (0..*levels).map(|l| format!("l{l:02}"));
        let column = Categorical::from_codes(format!("a{i}"), names, codes).expect("codes have levels");
        let segment = shape == Shape::Segments && i + 1 == c.attributes.len();
        batch = if segment { batch.segments(Segments::of(column)) } else { batch.attribute(column) };
    }
    if shape == Shape::Weighted {
        batch = batch.weight(&c.weight);
    }
    batch.build().expect("a sound batch")
}

/// A shape with its name.
pub type Data = (&'static str, Columns, Shape);

/// All shapes, of so many rows.
pub fn data(rows: usize) -> Vec<Data> {
    let binned = |row| (mix(row, 104) % 1024) as f64 / 1024.0;
    vec![
        ("1 attribute", columns(rows, &[5]), Shape::Decisions),
        ("3 attributes", columns(rows, &[2, 5, 6]), Shape::Decisions),
        ("8 attributes", columns(rows, &[2; 8]), Shape::Decisions),
        ("3 attributes, weighted", columns(rows, &[2, 5, 6]), Shape::Weighted),
        ("3 attributes, scored", columns(rows, &[2, 5, 6]), Shape::Scored),
        (
            "3 attributes, 1,024 bins",
            Columns { score: (0..rows).map(binned).collect(), ..columns(rows, &[2, 5, 6]) },
            Shape::Binned,
        ),
        ("3 and 12 segments", columns(rows, &[2, 5, 6, 12]), Shape::Segments),
    ]
}
