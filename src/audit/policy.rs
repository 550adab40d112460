//! What is allowed: criteria with their bounds, and how sure one wants to be.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Rulebook;
use crate::error::{Error, Place, Result};
use crate::inference::multiplicity::Multiplicity;

/// How two figures are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// One minus the other; max − min between all groups.
    Difference,
    /// One over the other; min / max between all groups.
    Ratio,
    /// The figure itself, of a measure that compares groups by itself: a distance, an association.
    Value,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Difference => "difference",
            Comparison::Ratio => "ratio",
            Comparison::Value => "value",
        })
    }
}

/// What groups are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// Each other: the worst case over all pairs.
    #[default]
    BetweenGroups,
    /// The reference group.
    Reference,
    /// All other groups together.
    Rest,
    /// The whole batch.
    Overall,
}

/// Whether a criterion is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval satisfies the bound.
    Pass,
    /// The interval holds both what satisfies the bound and what does not, or there is no figure.
    Inconclusive,
    /// Nothing in the interval satisfies the bound.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Fail => "fail",
        })
    }
}

/// A bound on a disparity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// A metric of the catalog or a criterion as the field names it: `demographic_parity`, ...
    pub metric: String,
    /// Difference or ratio; the value of a measure that compares groups by itself.
    pub comparison: Comparison,
    /// Compared with what.
    #[serde(default)]
    pub against: Against,
    /// The most that the size of a difference, or a value, may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// The least that a ratio, or a value, may be; a ratio to a reference above 1 is held to 1 / minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The attributes (or intersections, joined by ` & `) it is for; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
}

/// Criteria, and how they are judged.
///
/// # Examples
/// ```
/// use evenhand::audit::Policy;
/// let policy = Policy::from_toml(r#"
///     confidence = 0.9
///     [[criteria]]
///     metric = "equal_opportunity"
///     comparison = "difference"
///     maximum = 0.05
/// "#)?;
/// assert_eq!(policy.criteria.len(), 1);
/// assert!(Policy::preset("four-fifths")?.criteria[0].minimum == Some(0.8));
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// What it is called.
    pub name: String,
    /// The confidence of every interval, in (0, 1).
    pub confidence: f64,
    /// Groups with fewer rows are shown but not judged.
    pub minimum_group_size: u64,
    /// Groups with a smaller share of the rows are shown but not judged.
    pub minimum_group_share: f64,
    /// How p-values are adjusted over the findings of the report.
    pub multiplicity: Multiplicity,
    /// What an inconclusive finding counts as.
    pub inconclusive: Verdict,
    /// The rules of a law or guideline, whose own tables are made besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rulebook: Option<Rulebook>,
    /// The criteria.
    pub criteria: Vec<Criterion>,
}

impl Default for Policy {
    /// No criteria, 95 % confidence, groups of at least 10 rows, Holm.
    fn default() -> Self {
        Policy {
            name: "custom".into(),
            confidence: 0.95,
            minimum_group_size: 10,
            minimum_group_share: 0.0,
            multiplicity: Multiplicity::Holm,
            inconclusive: Verdict::Inconclusive,
            rulebook: None,
            criteria: Vec::new(),
        }
    }
}

/// The names of the presets.
pub const PRESETS: [&str; 5] = ["four-fifths", "eeoc", "equal-opportunity", "nyc-local-law-144", "strict"];

impl Criterion {
    fn ratio(metric: &str, minimum: f64) -> Self {
        Criterion {
            metric: metric.into(),
            comparison: Comparison::Ratio,
            against: Against::BetweenGroups,
            maximum: None,
            minimum: Some(minimum),
            attributes: Vec::new(),
        }
    }

    fn difference(metric: &str, maximum: f64) -> Self {
        Criterion {
            metric: metric.into(),
            comparison: Comparison::Difference,
            against: Against::BetweenGroups,
            maximum: Some(maximum),
            minimum: None,
            attributes: Vec::new(),
        }
    }

    fn check(&self) -> Result<()> {
        let wrong = |value: String, expected: &str| {
            Err(Error::setting(&format!("the bound of the criterion `{}`", self.metric), value, expected))
        };
        match (self.comparison, self.minimum, self.maximum) {
            (Comparison::Ratio, Some(m), None) if m > 0.0 && m <= 1.0 => Ok(()),
            (Comparison::Ratio, Some(m), None) => wrong(m.to_string(), "a `minimum` above 0 and at most 1 for a ratio"),
            (Comparison::Ratio, ..) => {
                wrong("not plain".into(), "one `minimum` for a ratio, such as 0.8, and no `maximum`")
            }
            (Comparison::Difference, None, Some(m)) if m >= 0.0 && m.is_finite() => Ok(()),
            (Comparison::Difference, None, Some(m)) => {
                wrong(m.to_string(), "a `maximum` of at least 0 for a difference")
            }
            (Comparison::Value, None, None) => wrong("missing".into(), "a `maximum` or a `minimum` for a value"),
            (Comparison::Value, least, most) => {
                let ends = [least, most].into_iter().flatten();
                match ends.clone().find(|v| !v.is_finite()) {
                    Some(end) => wrong(end.to_string(), "finite numbers"),
                    None if least > most && most.is_some() => wrong(
                        format!("{} to {}", least.unwrap_or(0.0), most.unwrap_or(0.0)),
                        "a `minimum` below the `maximum`",
                    ),
                    None => Ok(()),
                }
            }
            (Comparison::Difference, ..) => {
                wrong("not plain".into(), "one `maximum` for a difference, such as 0.05, and no `minimum`")
            }
        }
    }
}

impl Policy {
    /// A preset by name:
    /// - `four-fifths`: disparate impact of at least 0.8 (EEOC Uniform Guidelines, 29 CFR 1607.4 D).
    /// - `equal-opportunity`: true positive rates within 0.05 (Hardt et al. 2016).
    /// - `nyc-local-law-144`: impact ratios of selection rates of at least 0.8, groups under 2 % of the data
    ///   shown but not judged. (The rule itself, 6 RCNY 5-300, sets no pass mark; 0.8 is the usual one.) The tables that
    ///   the rule asks for are made; files with scores alone are selected above the median.
    /// - `eeoc`: disparate impact of at least 0.8, and the tables of the Uniform Guidelines: four fifths, two standard
    ///   deviations, Fisher's exact test, and whether one selection would turn it. Groups under 2 % are not judged.
    /// - `strict`: demographic parity, equalized odds and predictive parity within 0.05 and disparate
    ///   impact of at least 0.9, groups of at least 30 rows.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn preset(name: &str) -> Result<Self> {
        let policy = |criteria| Policy { name: name.into(), criteria, ..Policy::default() };
        match name {
            "four-fifths" => Ok(policy(vec![Criterion::ratio("disparate_impact", 0.8)])),
            "equal-opportunity" => Ok(policy(vec![Criterion::difference("equal_opportunity", 0.05)])),
            "eeoc" => Ok(Policy {
                minimum_group_share: 0.02,
                rulebook: Some(Rulebook::Eeoc),
                ..policy(vec![Criterion::ratio("disparate_impact", 0.8)])
            }),
            "nyc-local-law-144" => Ok(Policy {
                minimum_group_share: 0.02,
                rulebook: Some(Rulebook::NycLocalLaw144),
                ..policy(vec![Criterion::ratio("disparate_impact", 0.8)])
            }),
            "strict" => Ok(Policy {
                minimum_group_size: 30,
                ..policy(vec![
                    Criterion::ratio("disparate_impact", 0.9),
                    Criterion::difference("demographic_parity", 0.05),
                    Criterion::difference("equalized_odds", 0.05),
                    Criterion::difference("predictive_parity", 0.05),
                ])
            }),
            _ => Err(Error::unknown("preset", name, "", PRESETS)),
        }
    }

    /// Reads TOML. A `preset = "..."` at the top is the base that the other fields change.
    ///
    /// # Errors
    /// [`Error::BadPolicy`] with the line, [`Error::BadSetting`], [`Error::Unknown`] preset.
    pub fn from_toml(text: &str) -> Result<Self> {
        let bad = |problem: String| Error::BadPolicy { place: Place::default(), problem };
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| bad(e.to_string()))?;
        Self::from_table(table)
    }

    /// Reads JSON, as [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str) -> Result<Self> {
        let bad = |e: serde_json::Error| Error::BadPolicy { place: Place::default(), problem: e.to_string() };
        Self::from_table(serde_json::from_str(text).map_err(bad)?)
    }

    /// Reads a parsed table.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_table(mut table: toml::Table) -> Result<Self> {
        let bad = |problem: String| Error::BadPolicy { place: Place::default(), problem };
        if let Some(preset) = table.remove("preset") {
            let name = preset.as_str().ok_or_else(|| bad("`preset` must be a text".into()))?;
            let base = toml::Table::try_from(Policy::preset(name)?).map_err(|e| bad(e.to_string()))?;
            for (key, value) in base {
                table.entry(key).or_insert(value);
            }
        }
        let policy: Policy = table.try_into().map_err(|e: toml::de::Error| bad(e.to_string()))?;
        policy.check()?;
        Ok(policy)
    }

    /// Checks the settings that a type cannot.
    ///
    /// # Errors
    /// [`Error::BadSetting`].
    pub fn check(&self) -> Result<()> {
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(Error::setting("the confidence", self.confidence, "a number between 0 and 1, such as 0.95"));
        }
        if !(0.0..1.0).contains(&self.minimum_group_share) {
            return Err(Error::setting(
                "the smallest share of a group",
                self.minimum_group_share,
                "a number from 0 to below 1",
            ));
        }
        self.criteria.iter().try_for_each(Criterion::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_complete_and_survive_toml() {
        for name in PRESETS {
            let policy = Policy::preset(name).unwrap();
            policy.check().unwrap();
            assert_eq!(Policy::from_toml(&toml::to_string(&policy).unwrap()).unwrap(), policy);
            assert_eq!(Policy::from_json(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
        }
        let error = Policy::preset("four-fifth").unwrap_err().to_string();
        assert!(error.contains("four-fifths"), "{error}");
    }

    #[test]
    fn a_preset_is_a_base_to_change() {
        let policy = Policy::from_toml("preset = \"strict\"\nconfidence = 0.9").unwrap();
        assert_eq!((policy.confidence, policy.criteria.len(), policy.minimum_group_size), (0.9, 4, 30));
    }

    #[test]
    fn slips_are_told() {
        for (text, says) in [
            ("confidence = 95", "between 0 and 1"),
            ("confidnce = 0.9", "confidnce"),
            ("preset = 3", "text"),
            ("[[criteria]]\nmetric = \"accuracy\"\ncomparison = \"ratio\"\nmaximum = 0.8", "minimum"),
            ("[[criteria]]\nmetric = \"accuracy\"\ncomparison = \"difference\"\nmaximum = -1", "at least 0"),
            ("[[criteria]]\nmetric = \"accuracy\"\ncomparison = \"quotient\"", "quotient"),
            ("criteria = ", "line 1"),
        ] {
            let error = Policy::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
