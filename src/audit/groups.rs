//! Named groups: rules over the levels of several columns. They may overlap.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::tally::Schema;

/// One condition of a rule: a column holds one of some levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    /// The column.
    pub column: String,
    /// The levels that satisfy it.
    pub levels: Vec<String>,
}

impl FromStr for Condition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let expected = "`column=level` or `column=level,level`, such as sex=female or age=<=25";
            Error::setting("the condition of a group", format!("`{}`", text.trim()), expected)
        };
        // The first `=` that is not part of `<=` or `>=` ends the column: levels may be bands.
        let (column, levels) = text.split_once('=').ok_or_else(wrong)?;
        let levels: Vec<String> = levels.split(',').map(|l| l.trim().to_string()).collect();
        if column.trim().is_empty() || levels.iter().any(String::is_empty) {
            return Err(wrong());
        }
        Ok(Condition { column: column.trim().into(), levels })
    }
}

impl TryFrom<String> for Condition {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Condition> for String {
    fn from(c: Condition) -> Self {
        c.to_string()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.column, self.levels.join(","))
    }
}

/// A group defined by a rule: all of some conditions, and any of others.
///
/// # Examples
/// ```
/// use evenhand::audit::NamedGroup;
/// let group: NamedGroup = "young women: sex=Female & age=<=25,26-35".parse()?;
/// assert_eq!((group.name.as_str(), group.all.len()), ("young women", 2));
/// let group: NamedGroup = "protected: race=Black | age=>60".parse()?;
/// assert_eq!(group.any.len(), 2);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedGroup {
    /// Its name.
    pub name: String,
    /// Conditions that must all hold.
    #[serde(default)]
    pub all: Vec<Condition>,
    /// Conditions of which one must hold, where there are any.
    #[serde(default)]
    pub any: Vec<Condition>,
}

impl FromStr for NamedGroup {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |problem: &str| Error::setting("the named group", format!("`{text}`"), problem);
        let (name, rule) = text.split_once(':').ok_or_else(|| wrong("`NAME: column=level & column=level`"))?;
        if name.trim().is_empty() {
            return Err(wrong("a name before the colon"));
        }
        if rule.contains('&') && rule.contains('|') {
            return Err(wrong("either `&` (all of) or `|` (any of); give a policy file `all` and `any` for both"));
        }
        let parse = |separator: char| rule.split(separator).map(str::parse).collect::<Result<Vec<Condition>>>();
        let (all, any) = if rule.contains('|') { (Vec::new(), parse('|')?) } else { (parse('&')?, Vec::new()) };
        Ok(NamedGroup { name: name.trim().into(), all, any })
    }
}

/// A rule looked up in a tally: for each condition the axis and which of its digits satisfy it.
#[derive(Debug)]
pub(crate) struct Membership {
    all: Vec<(usize, Vec<bool>)>,
    any: Vec<(usize, Vec<bool>)>,
}

impl NamedGroup {
    /// The columns that the rule reads.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.all.iter().chain(&self.any).map(|c| c.column.as_str())
    }

    pub(crate) fn look_up(&self, schema: &Schema) -> Result<Membership> {
        if self.all.is_empty() && self.any.is_empty() {
            return Err(Error::setting("the named group", format!("`{}`", self.name), "at least one condition"));
        }
        let context = format!(" in the rule of the group `{}`", self.name);
        let one = |condition: &Condition| {
            let names = schema.attributes.iter().map(|a| a.name.as_str());
            let axis = schema.attributes.iter().position(|a| a.name == condition.column);
            let axis = axis.ok_or_else(|| Error::unknown("attribute", &condition.column, context.clone(), names))?;
            let levels = &schema.attributes[axis].levels;
            let mut holds = vec![false; levels.len() + 1];
            for wanted in &condition.levels {
                let at = levels.iter().position(|l| l == wanted).ok_or_else(|| {
                    let context = format!(" of attribute `{}`{context}", condition.column);
                    Error::unknown("level", wanted, context, levels.iter().map(String::as_str))
                })?;
                holds[at + 1] = true;
            }
            Ok((axis, holds))
        };
        Ok(Membership {
            all: self.all.iter().map(one).collect::<Result<_>>()?,
            any: self.any.iter().map(one).collect::<Result<_>>()?,
        })
    }
}

impl Membership {
    /// Whether somebody with these digits (0 missing, level + 1) belongs; `None` where that hangs on what
    /// is missing (Kleene's logic).
    pub(crate) fn of(&self, digits: &[usize]) -> Option<bool> {
        let state = |(axis, holds): &(usize, Vec<bool>)| match digits[*axis] {
            0 => None,
            digit => Some(holds[digit]),
        };
        // Unknown is not the end of the search: what follows may settle it.
        let settle = |conditions: &[(usize, Vec<bool>)], by: bool| {
            let states: Vec<Option<bool>> = conditions.iter().map(state).collect();
            if states.contains(&Some(by)) {
                Some(by)
            } else if states.contains(&None) {
                None
            } else {
                Some(!by)
            }
        };
        let all = settle(&self.all, false);
        let any = if self.any.is_empty() { Some(true) } else { settle(&self.any, true) };
        match (all, any) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Axis;

    fn schema() -> Schema {
        let axis = |name: &str, levels: [&str; 2]| Axis {
            name: name.into(),
            levels: levels.map(String::from).into(),
            ordered: false,
        };
        Schema {
            attributes: vec![axis("sex", ["f", "m"]), axis("age", ["<=25", ">25"])],
            strata: vec![],
            labelled: false,
            weighted: false,
            targeted: false,
            models: vec![],
            segmentations: vec![],
            unit: 1,
        }
    }

    #[test]
    fn rules_know_what_hangs_on_the_missing() {
        let all = "x: sex=f & age=<=25".parse::<NamedGroup>().unwrap().look_up(&schema()).unwrap();
        assert_eq!(
            [[1, 1], [1, 2], [2, 0], [1, 0], [0, 0]].map(|d| all.of(&d)),
            [Some(true), Some(false), Some(false), None, None]
        );
        let any = "x: sex=f | age=<=25".parse::<NamedGroup>().unwrap().look_up(&schema()).unwrap();
        assert_eq!(
            [[1, 2], [2, 2], [2, 0], [1, 0], [0, 2]].map(|d| any.of(&d)),
            [Some(true), Some(false), None, Some(true), None]
        );
    }

    #[test]
    fn slips_are_named() {
        for (rule, says) in [
            ("x: sexx=f", "did you mean `sex`"),
            ("x: sex=F", "`f`"),
            ("x: sex", "column=level"),
            ("sex=f", "NAME"),
            (": sex=f", "name"),
            ("x: sex=f & age=>25 | sex=m", "either"),
        ] {
            let error =
                rule.parse::<NamedGroup>().and_then(|g| g.look_up(&schema()).map(|_| ())).unwrap_err().to_string();
            assert!(error.contains(says), "{rule}: {error}");
        }
    }
}
