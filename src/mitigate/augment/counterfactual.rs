//! Rows doubled with their attribute exchanged.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::Method;
use super::cells::{Cells, Layout};
use super::frame::Frame;
use super::made::{Augmented, AugmentedCell, Made, Origin, Record, Values, assemble, relabelled, rows_of, wide};
use crate::data::{Batch, Categorical, Column, NEGATIVE, POSITIVE, Table};
use crate::mitigate::groups::Groups;
use crate::{Error, Result};

/// Which level of the attribute a row has, and which its counterfactual gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// The row's level.
    pub from: &'a str,
    /// The other level.
    pub to: &'a str,
}

type LevelRule = Arc<dyn Fn(&str, Exchange) -> String + Send + Sync>;
type NumberRule = Arc<dyn Fn(f64, Exchange) -> f64 + Send + Sync>;

/// How a column follows an exchange.
#[derive(Clone)]
enum Rule {
    Level(LevelRule),
    Number(NumberRule),
}

/// Adds to every row a copy with each other level of one attribute: what the same person's row would be, so that a model
/// trained on all of them has nothing to gain from the attribute.
///
/// Columns that depend on the attribute (a title, a product only offered to some) follow by rules; all others are copied,
/// and so still tell the level where they are proxies of it. Labels are copied. Rows whose group or label is unknown are
/// kept as they are. Only levels that have a row are exchanged for.
///
/// # References
/// Kusner, Loftus, Russell, Silva (2017), Counterfactual fairness, NeurIPS. Lu, Mardziel, Wu, Amancharla, Datta (2020),
/// Gender bias in neural natural language processing, in: Logic, Language, and Security.
///
/// # Examples
/// ```
/// use evenhand::data::{Batch, Categorical, Column, Table};
/// use evenhand::mitigate::augment::Counterfactual;
/// let sex = Categorical::from_values("sex", ["f", "m"]);
/// let table = Table::new(vec![
///     ("sex".into(), Column::Level(sex.clone())),
///     ("title".into(), Column::Level(Categorical::from_values("title", ["ms", "mr"]))),
/// ])?;
/// let batch = Batch::builder().attribute(sex).label([1, 0]).build()?;
/// let both = Counterfactual::of("sex")
///     .swap("title", [("ms", "mr")])
///     .share_weight(true)
///     .fit_resample(&table, &batch)?;
/// let Column::Level(title) = both.table.column("title")? else { unreachable!() };
/// let titles: Vec<&str> = (0..4).map(|row| &*title.levels()[title.codes().get(row).unwrap()]).collect();
/// assert_eq!(titles, ["ms", "mr", "mr", "ms"]);
/// assert_eq!(both.weights, Some(vec![0.5; 4]));
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone)]
pub struct Counterfactual {
    attribute: String,
    rules: Vec<(String, Rule)>,
    share_weight: bool,
}

impl fmt::Debug for Counterfactual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&String> = self.rules.iter().map(|(column, _)| column).collect();
        f.debug_struct("Counterfactual")
            .field("attribute", &self.attribute)
            .field("rules", &columns)
            .field("share_weight", &self.share_weight)
            .finish()
    }
}

impl Counterfactual {
    /// Exchanges the levels of this attribute.
    pub fn of(attribute: impl Into<String>) -> Self {
        Counterfactual { attribute: attribute.into(), rules: Vec::new(), share_weight: false }
    }

    /// A column of levels follows: what the level becomes. It must be one that the column has.
    #[must_use]
    pub fn map_levels(
        mut self,
        column: impl Into<String>,
        rule: impl Fn(&str, Exchange) -> String + Send + Sync + 'static,
    ) -> Self {
        self.rules.push((column.into(), Rule::Level(Arc::new(rule))));
        self
    }

    /// A column of levels follows: both of a pair are exchanged for one another, others stay.
    #[must_use]
    pub fn swap<A, B>(self, column: impl Into<String>, pairs: impl IntoIterator<Item = (A, B)>) -> Self
    where
        A: Into<String>,
        B: Into<String>,
    {
        let mut map: HashMap<String, String> = HashMap::new();
        for (a, b) in pairs {
            let (a, b) = (a.into(), b.into());
            map.insert(a.clone(), b.clone());
            map.insert(b, a);
        }
        self.map_levels(column, move |level, _| map.get(level).map_or(level, String::as_str).to_string())
    }

    /// A column of numbers follows: what the number becomes (finite, and whole in a column of whole numbers). Missing
    /// numbers stay missing.
    #[must_use]
    pub fn map_numbers(
        mut self,
        column: impl Into<String>,
        rule: impl Fn(f64, Exchange) -> f64 + Send + Sync + 'static,
    ) -> Self {
        self.rules.push((column.into(), Rule::Number(Arc::new(rule))));
        self
    }

    /// Whether a row and its counterfactuals share the row's weight (a half each, with two levels), so that the total weight
    /// stays; else each has the whole.
    #[must_use]
    pub fn share_weight(mut self, share: bool) -> Self {
        self.share_weight = share;
        self
    }

    /// Makes the rows, which follow in the order of the rows they are made from. `table` and `batch` have the same rows.
    ///
    /// # Errors
    /// [`Error::UnequalLengths`]; [`Error::Nothing`] without a label or a row of known group and label;
    /// [`Error::MissingColumn`] for an attribute or a column of a rule that is not there; [`Error::Duplicate`] for two rules
    /// of one column; [`Error::Unknown`] for a level that a rule makes and the column has not; [`Error::BadNumber`] for a
    /// number that a rule makes and the column cannot hold; [`Error::BadSetting`] for an attribute of one level, a rule for
    /// the wrong kind of column, and an attribute kept as numbers without a rule.
    pub fn fit_resample(&self, table: &Table, batch: &Batch) -> Result<Augmented> {
        let layout = Layout::of(&Frame::of(table), batch, None, &[])?;
        let cells = Cells::of(batch, &[])?;
        let at = batch.attributes().iter().position(|a| a.name() == self.attribute).ok_or_else(|| {
            let names = batch.attributes().iter().map(|a| a.name().to_string()).collect();
            Error::missing_column(&self.attribute, None, names)
        })?;
        let attribute = &batch.attributes()[at];
        let mut known: Vec<u32> = cells.rows.iter().flatten().copied().collect();
        known.sort_unstable();
        let of_known = wide(attribute, known.iter().map(|row| *row as usize));
        let mut levels = of_known.clone();
        levels.sort_unstable();
        levels.dedup();
        if levels.len() < 2 {
            let setting = format!("the number of levels of `{}`", self.attribute);
            return Err(Error::setting(&setting, levels.len(), "two or more to be exchanged"));
        }
        let (mut base, mut codes) = (Vec::new(), Vec::new());
        for (row, from) in known.iter().zip(&of_known) {
            for to in levels.iter().filter(|to| *to != from) {
                base.push(*row);
                codes.push([*from, *to]);
            }
        }
        let new: Vec<u32> = codes.iter().map(|[_, to]| *to).collect();
        let mut made = Made::copies(base, table.columns().len());
        made.origin = made.base.iter().map(|row| Origin::Exchanged(*row as usize)).collect();
        if let Some(column) = layout.of_attribute[at] {
            made.columns[column] = match &table.columns()[column].1 {
                Column::Level(own) => Values::Codes(renamed(attribute, own, &new)),
                _ if self.rules.iter().any(|(name, _)| *name == self.attribute) => Values::Base,
                _ => {
                    let setting = format!("the column `{}` of the table", self.attribute);
                    return Err(Error::setting(&setting, "numbers", "levels, or a rule that says what number it gets"));
                }
            };
        }
        let mut seen: Vec<&str> = Vec::new();
        for (name, rule) in &self.rules {
            if seen.contains(&name.as_str()) {
                return Err(Error::Duplicate { name: name.clone() });
            }
            seen.push(name);
            let column = table.column(name)?;
            let place = table.columns().iter().position(|(own, _)| own == name).unwrap_or_default();
            made.columns[place] = follow(name, column, rule, attribute, &made.base, &codes)?;
        }
        let made = [made];
        let mut rows = rows_of(batch, None, &made);
        let mut all = wide(attribute, 0..batch.rows());
        all.extend_from_slice(&new);
        rows.attributes[at] = relabelled(attribute, all);
        if self.share_weight {
            let mut weights = rows.weights.unwrap_or_else(|| vec![1.0; rows.labels.len()]);
            let shares = levels.len() as f64;
            known.iter().for_each(|row| weights[*row as usize] /= shares);
            weights[batch.rows()..].iter_mut().for_each(|weight| *weight /= shares);
            rows.weights = Some(weights);
        }
        let record = Record {
            method: Method::Counterfactual,
            target: None,
            seed: 0,
            attributes: cells.groups.attributes.clone(),
            cells: Vec::new(),
            left_alone: cells.left_alone,
            removed: Vec::new(),
            origin: rows.origin,
        };
        let table = assemble(table, None, &made);
        let mut augmented =
            Augmented { table, attributes: rows.attributes, labels: rows.labels, weights: rows.weights, record };
        augmented.record.cells = counted(&cells, &augmented)?;
        Ok(augmented)
    }
}

/// The codes of an attribute's levels in a column that has the same levels in another order.
fn renamed(attribute: &Categorical, column: &Categorical, codes: &[u32]) -> Vec<u32> {
    let code = |level: &String| column.levels().iter().position(|own| own == level).map_or(u32::MAX, |at| at as u32);
    let own: Vec<u32> = attribute.levels().iter().map(code).collect();
    codes.iter().map(|code| own[*code as usize]).collect()
}

/// What a rule makes of a column.
fn follow(
    name: &str,
    column: &Column,
    rule: &Rule,
    attribute: &Categorical,
    base: &[u32],
    exchanges: &[[u32; 2]],
) -> Result<Values> {
    let exchange = |[from, to]: [u32; 2]| Exchange {
        from: &attribute.levels()[from as usize],
        to: &attribute.levels()[to as usize],
    };
    let wrong = |found, expected| Err(Error::setting(&format!("the column `{name}` of a rule"), found, expected));
    match (column, rule) {
        (Column::Level(column), Rule::Level(rule)) => {
            // Each level and exchange is asked for once.
            let mut known: HashMap<(u32, [u32; 2]), u32> = HashMap::new();
            let mut codes = Vec::with_capacity(base.len());
            for (code, exchanged) in wide(column, base.iter().map(|row| *row as usize)).into_iter().zip(exchanges) {
                if code == u32::MAX {
                    codes.push(code);
                    continue;
                }
                let to = match known.get(&(code, *exchanged)) {
                    Some(to) => *to,
                    None => {
                        let level = rule(&column.levels()[code as usize], exchange(*exchanged));
                        let at = column.levels().iter().position(|own| *own == level).ok_or_else(|| {
                            let context = format!(" in column `{name}`, which a rule of the exchange makes");
                            Error::unknown("level", &level, context, column.levels().iter().map(String::as_str))
                        })?;
                        known.insert((code, *exchanged), at as u32);
                        at as u32
                    }
                };
                codes.push(to);
            }
            Ok(Values::Codes(codes))
        }
        (Column::Number(values) | Column::Integer(values), Rule::Number(rule)) => {
            let whole = matches!(column, Column::Integer(_));
            let mut numbers = Vec::with_capacity(base.len());
            for (row, exchanged) in base.iter().zip(exchanges) {
                let old = values[*row as usize];
                let new = if old.is_nan() { old } else { rule(old, exchange(*exchanged)) };
                if !old.is_nan() && (!new.is_finite() || (whole && new.fract() != 0.0)) {
                    return Err(Error::BadNumber {
                        column: name.into(),
                        value: new.to_string(),
                        place: crate::Place::row(*row as usize),
                        expected: "a rule that makes a finite number of each, whole where the column's are",
                    });
                }
                numbers.push(new);
            }
            Ok(Values::Numbers(numbers))
        }
        (Column::Level(_), _) => wrong("levels", "`map_levels` or `swap`"),
        _ => wrong("numbers", "`map_numbers`"),
    }
}

/// The cells before and after, by name: the exchange may make groups that had no row.
fn counted(before: &Cells, augmented: &Augmented) -> Result<Vec<AugmentedCell>> {
    let after = Cells::of(&augmented.batch()?, &[])?;
    let find = |groups: &Groups, levels: &[String]| groups.levels.iter().position(|own| own == levels);
    let mut cells = Vec::new();
    for (group, levels) in after.groups.levels.iter().enumerate() {
        for label in [NEGATIVE, POSITIVE].map(usize::from) {
            let old = find(&before.groups, levels).map_or(0, |group| before.rows[2 * group + label].len());
            let new = after.rows[2 * group + label].len();
            if new > 0 {
                cells.push(AugmentedCell {
                    levels: levels.clone(),
                    favorable: label == 1,
                    before: old,
                    after: new,
                    neighbors: None,
                    shrinkage: None,
                });
            }
        }
    }
    Ok(cells)
}
