//! Which group each row is in: the combinations of levels of some attributes, numbered from 0.

use crate::data::{Batch, Categorical};
use crate::tally::{Span, add_levels};
use crate::{Error, Place, Result};

/// The number of a row of which an attribute is not known.
pub(crate) const MISSING: u32 = u32::MAX;
/// The number of a row of a group that is not among those given.
pub(crate) const NEW: u32 = u32::MAX - 1;
/// Combinations of levels up to which a table of them is made.
const LIMIT: usize = 4_000_000;
/// Rows whose groups are found at once, in the cache.
const CHUNK: usize = 4096;

/// The groups that attributes make, and which one each row is in.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// The attributes.
    pub attributes: Vec<String>,
    /// Each group's level of each attribute.
    pub levels: Vec<Vec<String>>,
    /// The group of each row, [`MISSING`] where an attribute is not known.
    pub of_row: Vec<u32>,
}

impl Groups {
    /// The groups with rows, by the levels of these attributes or strata (none: all attributes of the batch), in their order.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::TooManyCells`], [`Error::Nothing`] for a batch without attributes.
    pub fn of(batch: &Batch, attributes: &[String]) -> Result<Self> {
        let grid = Grid::of(batch, attributes)?;
        let keys = grid.keys(batch.rows());
        let mut number = vec![MISSING; grid.size];
        for key in &keys {
            number[*key as usize] = 0;
        }
        let mut levels = Vec::new();
        // In the order of levels, the first attribute's first.
        let mut present: Vec<(Vec<usize>, usize)> =
            (0..grid.size).filter(|key| number[*key] == 0).map(|key| (grid.digits(key), key)).collect();
        present.sort_unstable();
        for (digits, key) in present {
            if digits.contains(&0) {
                number[key] = MISSING;
            } else {
                number[key] = levels.len() as u32;
                levels.push(grid.levels(&digits));
            }
        }
        let of_row = keys.iter().map(|key| number[*key as usize]).collect();
        let attributes = grid.columns.iter().map(|c| c.name().to_string()).collect();
        Ok(Groups { attributes, levels, of_row })
    }

    /// The number of each row of another batch among groups that were found before, by the names of levels: [`MISSING`]
    /// where an attribute is not known, [`NEW`] where its group is not among them.
    ///
    /// # Errors
    /// As for [`of`](Self::of).
    pub fn matching(attributes: &[String], levels: &[Vec<String>], batch: &Batch) -> Result<Vec<u32>> {
        let grid = Grid::of(batch, attributes)?;
        let mut number = vec![NEW; grid.size];
        for (key, number) in number.iter_mut().enumerate() {
            if grid.digits(key).contains(&0) {
                *number = MISSING;
            }
        }
        for (group, names) in levels.iter().enumerate() {
            if let Some(key) = grid.key_of(names) {
                number[key] = group as u32;
            }
        }
        Ok(grid.keys(batch.rows()).iter().map(|key| number[*key as usize]).collect())
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// A group's levels, joined by ` & `.
    pub fn name(&self, group: usize) -> String {
        self.levels[group].join(" & ")
    }
}

/// The attribute or stratum of a name.
pub(crate) fn column<'b>(batch: &'b Batch<'b>, name: &str) -> Option<&'b Categorical<'b>> {
    batch.attributes.iter().chain(&batch.strata).find(|c| c.name() == name)
}

/// The levels of a row's attributes, joined by ` & `, for a message: `?` where one is not known.
pub(crate) fn group_of_row(batch: &Batch, attributes: &[String], row: usize) -> String {
    let level = |name: &String| {
        let column = column(batch, name)?;
        Some(column.levels()[column.codes().get(row)?].clone())
    };
    attributes.iter().map(|name| level(name).unwrap_or_else(|| "?".into())).collect::<Vec<_>>().join(" & ")
}

/// The error for a row whose group is not among those that something was fitted on; the context is said after its name.
pub(crate) fn not_among(
    batch: &Batch,
    attributes: &[String],
    known: &[Vec<String>],
    row: usize,
    context: String,
) -> Error {
    let names: Vec<String> = known.iter().map(|levels| levels.join(" & ")).collect();
    let name = group_of_row(batch, attributes, row);
    Error::unknown("group", &name, context, names.iter().map(String::as_str))
}

/// All combinations of levels, numbered by mixed digits: 0 for missing, level + 1.
struct Grid<'b> {
    columns: Vec<&'b Categorical<'b>>,
    /// What a level of each column adds to the number.
    strides: Vec<usize>,
    size: usize,
}

impl<'b> Grid<'b> {
    fn of(batch: &'b Batch<'b>, attributes: &[String]) -> Result<Self> {
        let find = |name: &String| {
            let names = || batch.attributes.iter().chain(&batch.strata).map(|c| c.name().to_string()).collect();
            column(batch, name).ok_or_else(|| Error::missing_column(name, None, names()))
        };
        let columns: Vec<&Categorical> = match attributes {
            [] => batch.attributes().iter().collect(),
            named => named.iter().map(find).collect::<Result<_>>()?,
        };
        if columns.is_empty() {
            return Err(Error::Nothing {
                problem: "mitigation needs a protected attribute; add one to the batch",
                place: Place::default(),
            });
        }
        let cells = columns.iter().fold(1u128, |size, c| size.saturating_mul(c.levels().len() as u128 + 1));
        if cells > LIMIT as u128 {
            let parts: Vec<String> =
                columns.iter().map(|c| format!("`{}` ({} levels)", c.name(), c.levels().len())).collect();
            return Err(Error::TooManyCells { attributes: parts.join(" × "), cells, limit: LIMIT });
        }
        let mut size = 1;
        let mut strides = Vec::with_capacity(columns.len());
        for column in &columns {
            strides.push(size);
            size *= column.levels().len() + 1;
        }
        Ok(Grid { columns, strides, size })
    }

    fn keys(&self, rows: usize) -> Vec<u32> {
        let mut keys = vec![0u32; rows];
        for (number, keys) in keys.chunks_mut(CHUNK).enumerate() {
            let from = number * CHUNK;
            for (column, stride) in self.columns.iter().zip(&self.strides) {
                add_levels(keys, column.codes(), Span { from, to: from + keys.len() }, *stride as u64);
            }
        }
        keys
    }

    fn digits(&self, key: usize) -> Vec<usize> {
        let digit = |(column, stride): (&&Categorical, &usize)| key / stride % (column.levels().len() + 1);
        self.columns.iter().zip(&self.strides).map(digit).collect()
    }

    fn levels(&self, digits: &[usize]) -> Vec<String> {
        self.columns.iter().zip(digits).map(|(column, digit)| column.levels()[digit - 1].clone()).collect()
    }

    /// The number of these levels, where this batch has them all.
    fn key_of(&self, levels: &[String]) -> Option<usize> {
        self.columns.iter().zip(&self.strides).zip(levels).try_fold(0, |key, ((column, stride), level)| {
            let at = column.levels().iter().position(|l| l == level)?;
            Some(key + (at + 1) * stride)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(sex: &[Option<&str>], age: &[&str]) -> Batch<'static> {
        Batch::builder()
            .attribute(Categorical::from_options("sex", sex.iter().copied()))
            .attribute(Categorical::from_values("age", age))
            .label(vec![0u8; age.len()])
            .build()
            .unwrap()
    }

    #[test]
    fn groups_are_found_again_by_name() {
        let sex = [Some("m"), Some("f"), None, Some("f"), Some("m")];
        let first = batch(&sex, &["old", "young", "old", "old", "old"]);
        let groups = Groups::of(&first, &[]).unwrap();
        assert_eq!(groups.attributes, ["sex", "age"]);
        assert_eq!((0..groups.len()).map(|g| groups.name(g)).collect::<Vec<_>>(), ["f & old", "f & young", "m & old"]);
        assert_eq!(groups.of_row, [2, 1, MISSING, 0, 2]);
        let second = batch(&[Some("m"), Some("x"), None, Some("f")], &["young", "old", "old", "old"]);
        let found = Groups::matching(&groups.attributes, &groups.levels, &second).unwrap();
        assert_eq!(found, [NEW, NEW, MISSING, 0]);
        assert_eq!(group_of_row(&second, &groups.attributes, 1), "x & old");
        assert_eq!(group_of_row(&second, &groups.attributes, 2), "? & old");
        let by_age = Groups::of(&first, &["age".into()]).unwrap();
        assert_eq!(by_age.of_row, [0, 1, 0, 0, 0]);
        assert!(Groups::of(&first, &["agge".into()]).unwrap_err().to_string().contains("age"));
    }
}
