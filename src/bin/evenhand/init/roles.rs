//! Which column may play which part: a guess from names and the first values, sure or not.

use std::collections::BTreeMap;

use evenhand::data::source::Sample;
use evenhand::data::{Binary, default_missing};

/// The part that a column seems to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Attribute,
    Decision,
    Label,
    Score,
    Weight,
    Stratum,
}

impl Role {
    /// In the order in which they are told.
    pub const ALL: [Role; 6] = [Role::Attribute, Role::Decision, Role::Label, Role::Score, Role::Weight, Role::Stratum];

    pub fn name(self) -> &'static str {
        match self {
            Role::Attribute => "attribute",
            Role::Decision => "decision",
            Role::Label => "label",
            Role::Score => "score",
            Role::Weight => "weight",
            Role::Stratum => "stratum",
        }
    }
}

/// What a column holds, as far as was looked, and the part that it may play.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// How it is described: `text, 2 levels: f, m`.
    pub about: String,
    pub role: Option<Role>,
    /// Whether name and values both speak for the role.
    pub sure: bool,
    /// What speaks for it, and what against.
    pub why: String,
    /// How it is written in the policy, where not by its name alone: with bands.
    pub written: String,
    /// The favourable value, where it has to be told.
    pub favorable: Option<String>,
    /// The two values, for a column of two.
    pub pair: Option<[String; 2]>,
}

impl Column {
    fn doubt(&mut self, why: &str) {
        self.sure = false;
        self.why.push_str(", but ");
        self.why.push_str(why);
    }
}

/// What was found in a file.
#[derive(Debug)]
pub struct Guess {
    pub columns: Vec<Column>,
    /// Texts that seem to mean missing, beside the usual ones.
    pub missing: Vec<String>,
}

impl Guess {
    pub fn of(&self, role: Role, sure: bool) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(move |c| c.role == Some(role) && c.sure == sure)
    }
}

/// More levels than this make no attribute to start with.
const MOST_LEVELS: usize = 20;
/// Of columns with more levels, none is shown.
const MOST_SHOWN: usize = 50;
/// How many levels are shown.
const LISTED: usize = 6;
/// Texts that often mean missing and that no reader takes for it untold.
const MISSING: [&str; 5] = ["?", "-", "n/a", "#N/A", "."];

const ATTRIBUTES: &[&str] = &[
    "sex",
    "gender",
    "race",
    "races",
    "ethnicity",
    "ethnic",
    "age",
    "ages",
    "religion",
    "nationality",
    "disability",
    "disabled",
    "marital",
    "native",
    "orientation",
    "citizenship",
    "veteran",
    "pregnant",
    "pregnancy",
    "caste",
    "senior",
];
const DECISIONS: &[&str] = &[
    "decision",
    "decided",
    "targeted",
    "selected",
    "selection",
    "approved",
    "offer",
    "offered",
    "contacted",
    "invited",
    "shortlisted",
    "hired",
    "admitted",
    "admit",
    "predicted",
    "prediction",
    "pred",
    "mailed",
    "exposed",
    "shown",
];
const LABELS: &[&str] = &[
    "label",
    "labels",
    "outcome",
    "responded",
    "response",
    "converted",
    "conversion",
    "clicked",
    "click",
    "bought",
    "purchased",
    "purchase",
    "repaid",
    "churn",
    "churned",
    "default",
    "defaulted",
    "y",
    "target",
    "income",
    "subscribed",
    "callback",
    "recid",
    "credit",
    "class",
];
const SCORES: &[&str] = &["score", "scores", "propensity", "probability", "prob", "proba", "likelihood", "risk"];
const WEIGHTS: &[&str] = &["weight", "weights", "wt"];
const WEIGHTS_PERHAPS: &[&str] = &["fnlwgt", "exposure", "exposures", "pweight"];
const STRATA: &[&str] =
    &["region", "department", "dept", "product", "channel", "segment", "country", "state", "store", "branch"];
/// Values that are the better of two.
const GOOD: &[&str] = &[
    "good",
    "approved",
    "accepted",
    "admitted",
    "hired",
    "paid",
    "repaid",
    "won",
    "success",
    "converted",
    "positive",
    "selected",
    "targeted",
    "high",
];

pub fn guess(sample: &Sample) -> Guess {
    let mut missing = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    for (info, values) in sample.columns.iter().zip(&sample.values) {
        let look = Look::at(values);
        let column = column(&info.name, &look);
        // Only in columns that would be used does it matter.
        if column.role.is_some() {
            missing.extend(look.missing.iter().filter(|m| !missing.contains(*m)).cloned().collect::<Vec<_>>());
        }
        columns.push(column);
    }
    // A batch has one label and one weight: of several, only the first is sure.
    for role in [Role::Label, Role::Weight] {
        columns.iter_mut().filter(|c| c.role == Some(role) && c.sure).skip(1).for_each(|c| {
            c.doubt("there can be only one");
        });
    }
    // Beside a sure one, what only might be a label or decision is noise.
    for role in [Role::Label, Role::Decision] {
        let found = columns.iter().any(|c| c.role == Some(role) && c.sure);
        columns.iter_mut().filter(|c| found && c.role == Some(role) && c.pair.is_none()).for_each(|c| c.role = None);
    }
    // Scores belong to decisions by their place: several of both are not for a guess.
    let count = |role| columns.iter().filter(|c| c.role == Some(role) && c.sure).count();
    if count(Role::Score) > 1 && count(Role::Decision) > 0 && count(Role::Score) != count(Role::Decision) {
        columns.iter_mut().filter(|c| c.role == Some(Role::Score)).skip(1).for_each(|c| {
            c.doubt("which decision it belongs to is not plain");
        });
    }
    Guess { columns, missing }
}

/// The values of a column.
struct Look<'a> {
    /// How often each value occurs, missing ones apart.
    levels: BTreeMap<&'a str, usize>,
    /// The texts in it that seem to mean missing, beside the usual ones.
    missing: Vec<String>,
    /// The numbers, where all are.
    numbers: Option<Vec<f64>>,
    rows: usize,
}

impl<'a> Look<'a> {
    fn at(values: &'a [String]) -> Self {
        let usual = default_missing();
        let mut look = Look { levels: BTreeMap::new(), missing: Vec::new(), numbers: None, rows: 0 };
        for value in values.iter().filter(|v| !usual.iter().any(|m| m == *v)) {
            if let Some(text) = MISSING.iter().find(|m| *m == value) {
                if !look.missing.iter().any(|m| m == text) {
                    look.missing.push((*text).into());
                }
            } else {
                *look.levels.entry(value).or_default() += 1;
                look.rows += 1;
            }
        }
        let number = |text: &&str| text.parse().ok().filter(|v: &f64| v.is_finite());
        let numbers: Option<Vec<f64>> = look.levels.keys().map(number).collect();
        look.numbers = numbers.filter(|n| !n.is_empty());
        look
    }

    fn range(&self) -> Option<(f64, f64)> {
        let numbers = self.numbers.as_ref()?;
        Some(numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v))))
    }

    fn is_banded(&self) -> bool {
        self.numbers.is_some() && self.levels.len() > 8
    }

    fn pair(&self) -> Option<[String; 2]> {
        let mut names = self.levels.keys().map(|v| (*v).to_string());
        Some([names.next()?, names.next()?]).filter(|_| self.levels.len() == 2)
    }

    /// The values in words. Those of a column that hardly repeats itself, such as names or addresses, are nobody's
    /// business: they are counted, not shown.
    fn about(&self) -> String {
        let count = self.levels.len();
        if self.is_banded() {
            let (least, most) = self.range().unwrap_or_default();
            return format!("numbers from {least} to {most}");
        }
        let kind = if self.numbers.is_some() { "numbers" } else { "text" };
        let levels = match count {
            0 => return "nothing but missing".into(),
            1 => "1 level".into(),
            _ => format!("{count} levels"),
        };
        if count * 2 > self.rows || count > MOST_SHOWN {
            return format!("{kind}, {levels}");
        }
        let mut names: Vec<(&str, usize)> = self.levels.iter().map(|(v, n)| (*v, *n)).collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let listed: Vec<String> = names.iter().take(LISTED).map(|(v, _)| super::template::short(v)).collect();
        format!("{kind}, {levels}: {}{}", listed.join(", "), if count > LISTED { ", ..." } else { "" })
    }
}

fn column(name: &str, look: &Look) -> Column {
    let words = words(name);
    let named = |list: &[&str]| words.iter().any(|w| list.contains(&w.as_str()));
    let levels = look.levels.len();
    let pair = look.pair();
    let mut column = Column {
        name: name.into(),
        about: look.about(),
        role: None,
        sure: false,
        why: String::new(),
        written: name.into(),
        favorable: None,
        pair: None,
    };
    if levels == 0 || name.trim().is_empty() {
        return column;
    }
    let mut found = |role, why: String| (column.role, column.why) = (Some(role), why);
    if named(ATTRIBUTES) {
        // A name with a colon cannot be told from one with bands.
        let colon = name.contains(':');
        let many = !look.is_banded() && !(2..=MOST_LEVELS).contains(&levels);
        found(
            Role::Attribute,
            match (colon, many, look.is_banded()) {
                (true, ..) => "named like an attribute, but a colon in the name has to be told from bands".into(),
                (_, true, _) => format!("named like an attribute, but not of 2 to {MOST_LEVELS} levels"),
                (.., true) => format!("named like an attribute; its numbers are cut into bands, {}", bands(look)),
                _ => "named like an attribute".into(),
            },
        );
        column.sure = !colon && !many;
        if look.is_banded() {
            column.written = format!("{name}:{}", bands(look));
        }
    } else if named(DECISIONS) && (pair.is_some() || !look.is_banded()) {
        found(Role::Decision, "named like a decision".into());
        binary(&mut column, pair);
    } else if named(SCORES) && look.numbers.is_some() && levels > 2 || named(DECISIONS) && look.is_banded() {
        let what = if named(SCORES) { "a score" } else { "a decision" };
        found(Role::Score, format!("named like {what}, and of many numbers"));
        column.sure = true;
    } else if named(WEIGHTS) || named(WEIGHTS_PERHAPS) {
        if look.range().is_some_and(|(least, _)| least >= 0.0) {
            // A body has a weight too; one of a survey is known by the whole name.
            let whole = ["weight", "weights", "sample_weight", "survey_weight", "wt"];
            column.sure = whole.contains(&name.trim().to_lowercase().as_str());
            let doubt = if column.sure { "" } else { ", which may mean something else" };
            column.role = Some(Role::Weight);
            column.why = format!("named like a weight{doubt}");
        }
    } else if named(LABELS) && levels <= MOST_LEVELS && !look.is_banded() {
        found(Role::Label, "named like an outcome".into());
        binary(&mut column, pair);
    } else if named(STRATA) && (2..=50).contains(&levels) {
        found(
            Role::Stratum,
            "named like a reason for a difference; whether it is a legitimate one is yours to say".into(),
        );
    }
    column
}

/// A label or decision is sure if it has two values of which one is known to be favourable.
fn binary(column: &mut Column, pair: Option<[String; 2]>) {
    let Some(pair) = pair else {
        column.why.push_str(", but not of two values");
        return;
    };
    let plain = Binary::from_text(&column.name, &pair, &[]).is_ok();
    let good = |v: &&String| v.starts_with('>') || GOOD.contains(&v.to_lowercase().as_str());
    if !plain {
        column.favorable = match (pair.iter().find(good), pair.iter().rfind(good)) {
            (Some(a), Some(b)) if a == b => Some(a.clone()),
            _ => None,
        };
    }
    column.sure = plain || column.favorable.is_some();
    column.why.push_str(if column.sure { " of two values" } else { ", but it is not plain which value is favourable" });
    column.pair = Some(pair);
}

/// Bands without a gap, so that whatever follows in the file falls in one: at 40, which the law of the United
/// States knows as the age of protection, or else quantiles.
fn bands(look: &Look) -> &'static str {
    let older: usize =
        look.levels.iter().filter(|(v, _)| v.parse().is_ok_and(|v: f64| v >= 40.0)).map(|(_, n)| n).sum();
    let younger = look.rows - older;
    if older.min(younger) * 20 >= look.rows { "<40,>=40" } else { "quantiles:4" }
}

/// The words of a name: `nativeCountry`, `native_country` and `native-country` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|w| w.extend(c.to_lowercase()));
        }
        before = c;
    }
    words.retain(|w| !w.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, values: &[&str]) -> (Option<Role>, bool) {
        let values: Vec<String> = values.iter().map(|v| (*v).to_string()).collect();
        let column = column(name, &Look::at(&values));
        (column.role, column.sure)
    }

    #[test]
    fn names_and_values_speak_for_a_part() {
        assert_eq!(role("customerSex", &["f", "m"]), (Some(Role::Attribute), true));
        assert_eq!(role("language", &["en", "de"]), (None, false));
        assert_eq!(role("targeted", &["0", "1"]), (Some(Role::Decision), true));
        assert_eq!(role("target", &["no", "yes", "?"]), (Some(Role::Label), true));
        assert_eq!(role("income", &["<=50K", ">50K"]), (Some(Role::Label), true));
        assert_eq!(role("outcome", &["a", "b"]), (Some(Role::Label), false));
        assert_eq!(role("outcome", &["paid", "repaid"]), (Some(Role::Label), false));
        assert_eq!(role("risk_score", &["0.1", "0.5", "0.7"]), (Some(Role::Score), true));
        assert_eq!(role("fnlwgt", &["120", "80.5"]), (Some(Role::Weight), false));
        assert_eq!(role("gender", &["", "NA"]), (None, false));
    }

    #[test]
    fn ages_fall_in_bands_without_a_gap() {
        let ages: Vec<String> = (18..70).map(|a| a.to_string()).chain(["?".into()]).collect();
        let look = Look::at(&ages);
        assert_eq!(column("age", &look).written, "age:<40,>=40");
        assert_eq!(look.missing, ["?"]);
        let young: Vec<String> = (18..39).map(|a| a.to_string()).collect();
        assert_eq!(column("Age", &Look::at(&young)).written, "Age:quantiles:4");
    }
}
