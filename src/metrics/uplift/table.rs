//! A hold-out read from a file.

use std::path::Path;

use super::{Assignment, UpliftAudit};
use crate::data::source::{Source, Texts};
use crate::data::{Binary, Categorical};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;

/// Where the probability of being treated comes from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PropensitySource {
    /// Randomised: the share treated.
    #[default]
    Share,
    /// Randomised: known by design.
    Known(f64),
    /// A column.
    Column(String),
}

/// The parts that the columns of a file play in an audit of uplift targeting.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HoldOutColumns {
    /// The protected attributes.
    pub attributes: Vec<String>,
    /// Who was treated.
    pub treated: String,
    /// What came of it.
    pub outcome: String,
    /// Whom the policy would treat.
    pub decision: Option<String>,
    /// The predicted uplift.
    pub uplift_score: Option<String>,
    /// The outcomes predicted without and with the treatment.
    pub predicted: Option<[String; 2]>,
    /// The probability of being treated.
    pub propensity: PropensitySource,
    /// The weight.
    pub weight: Option<String>,
    /// A stratum of like people.
    pub stratum: Option<String>,
}

/// A hold-out in memory: what an [`UpliftAudit`] borrows.
#[derive(Debug, Clone)]
pub struct HoldOut {
    attributes: Vec<Categorical<'static>>,
    treated: Binary<'static>,
    outcome: Vec<f64>,
    decision: Option<Binary<'static>>,
    score: Option<Vec<f64>>,
    predicted: Option<[Vec<f64>; 2]>,
    weight: Option<Vec<f64>>,
    stratum: Option<Categorical<'static>>,
    propensity: PropensitySource,
    propensities: Vec<f64>,
}

impl HoldOut {
    /// Reads a file of any kind that [`Source`] reads, into memory: its cells as text first, so that it takes several
    /// times the file's size.
    ///
    /// The outcome may be yes/no, true/false or any number; treatment and decision are such pairs. Empty text and `NA`,
    /// `NaN`, `null` are unknown, which weights and propensities must not be.
    ///
    /// # Errors
    /// Those of [`Source::sample`], [`Error::MissingColumn`] with the nearest name, [`Error::NotBinary`],
    /// [`Error::BadNumber`] with its row, [`Error::Nothing`] without rows.
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::source::Source;
    /// use evenhand::metrics::uplift::{HoldOut, HoldOutColumns};
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("holdout.csv");
    /// std::fs::write(&path, "sex,mailed,spent\nf,1,12.5\nf,0,3\nm,1,4\nm,0,2\nf,1,\n")?;
    /// let columns = HoldOutColumns {
    ///     attributes: vec!["sex".into()],
    ///     treated: "mailed".into(),
    ///     outcome: "spent".into(),
    ///     ..HoldOutColumns::default()
    /// };
    /// let hold_out = HoldOut::read(&path, &Source::open(&[&path])?, &columns)?;
    /// let report = hold_out.audit().run()?;
    /// assert_eq!(report.overall.metric("average_treatment_effect")?.value, Some(5.75));
    /// assert_eq!(report.unknown_rows, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(path: &Path, source: &Source, columns: &HoldOutColumns) -> Result<Self> {
        let mut texts = Texts::read(path, source)?;
        // What nobody asks for need not be kept.
        let mut wanted: Vec<&String> = columns.attributes.iter().chain([&columns.treated, &columns.outcome]).collect();
        wanted.extend(
            columns.decision.iter().chain(&columns.uplift_score).chain(&columns.weight).chain(&columns.stratum),
        );
        wanted.extend(columns.predicted.iter().flatten());
        if let PropensitySource::Column(name) = &columns.propensity {
            wanted.push(name);
        }
        texts.keep(&wanted);
        let numbers = |name: &Option<String>, needed| name.as_ref().map(|n| texts.numbers(n, needed)).transpose();
        Ok(HoldOut {
            attributes: columns.attributes.iter().map(|n| texts.levels(n)).collect::<Result<_>>()?,
            treated: texts.binary(&columns.treated)?,
            outcome: texts.outcome(&columns.outcome)?,
            decision: columns.decision.as_ref().map(|n| texts.binary(n)).transpose()?,
            score: numbers(&columns.uplift_score, false)?,
            predicted: match &columns.predicted {
                Some([without, with]) => Some([texts.numbers(without, false)?, texts.numbers(with, false)?]),
                None => None,
            },
            weight: numbers(&columns.weight, true)?,
            stratum: columns.stratum.as_ref().map(|n| texts.levels(n)).transpose()?,
            propensities: match &columns.propensity {
                PropensitySource::Column(name) => texts.numbers(name, true)?,
                _ => Vec::new(),
            },
            propensity: columns.propensity.clone(),
        })
    }

    /// An audit of it, to be set further and run.
    pub fn audit(&self) -> UpliftAudit<'_> {
        let mut audit = UpliftAudit::new(match self.propensity {
            PropensitySource::Share => Assignment::Randomised { propensity: None },
            PropensitySource::Known(p) => Assignment::Randomised { propensity: Some(p) },
            PropensitySource::Column(_) => Assignment::Propensities(&self.propensities),
        });
        audit = audit.treated(self.treated.clone()).outcome(&self.outcome);
        for attribute in &self.attributes {
            audit = audit.attribute(attribute.clone());
        }
        if let Some(decision) = &self.decision {
            audit = audit.decision(decision.clone());
        }
        if let Some(score) = &self.score {
            audit = audit.score(score);
        }
        if let Some([without, with]) = &self.predicted {
            audit = audit.predicted(without, with);
        }
        if let Some(weight) = &self.weight {
            audit = audit.weight(weight);
        }
        if let Some(stratum) = &self.stratum {
            audit = audit.stratum(stratum.clone());
        }
        audit
    }
}

impl Texts<'_> {
    fn levels(&self, name: &str) -> Result<Categorical<'static>> {
        let values = self.column(name)?.iter().map(|v| Some(v).filter(|v| !self.is_missing(v)));
        Ok(Categorical::from_options(name, values))
    }

    fn binary(&self, name: &str) -> Result<Binary<'static>> {
        Binary::from_text(name, self.column(name)?, &[])
    }

    /// Numbers, NaN where they are missing and need not be there.
    fn numbers(&self, name: &str, needed: bool) -> Result<Vec<f64>> {
        let number = |(row, text): (usize, &String)| match text.parse::<f64>() {
            _ if self.is_missing(text) && !needed => Ok(f64::NAN),
            Ok(value) if value.is_finite() => Ok(value),
            _ => {
                Err(self.bad(name, row, text, if needed { "a finite number in every row" } else { "a finite number" }))
            }
        };
        self.column(name)?.iter().enumerate().map(number).collect()
    }

    /// Numbers, or a pair such as yes and no.
    fn outcome(&self, name: &str) -> Result<Vec<f64>> {
        let column = self.column(name)?;
        // A text among numbers is a slip, to be shown with its row; a number among texts is no outcome.
        let first = column.iter().find(|v| !self.is_missing(v));
        if first.is_none_or(|v| v.parse::<f64>().is_ok()) {
            return self.numbers(name, false);
        }
        let codes = self.binary(name)?;
        Ok(codes.codes().iter().map(|c| if *c > 1 { f64::NAN } else { f64::from(*c) }).collect())
    }
}
