//! The statement: a plan's question in the SQL of an engine.
//!
//! It is queries one in the other, so that nothing is worked out twice and no name of the table's can be mistaken for one of
//! the statement's. What must be done for every row is done first: columns with their types (`k`) and as texts (`w`, or `n`
//! where a number is looked for), numbers (`x`) from trimmed texts (`t`), whether they were floating-point ones (`f`), and what
//! is made of them (`p`, the weight `w`, and `nf`, where that cannot be; of conditions `held`: 1 true, 2 not to be compared). Then equal rows are put together (`n`, `sw`, `ss`), so
//! that what costs most is done for the few that differ: texts are trimmed (`t`), or cannot be read as such (`u`), and become
//! the columns of the answer.

use std::collections::BTreeMap;

use super::question::{Binary, Level, Question};
use super::{Dialect, TableName};
use crate::audit::AuditPlan;
use crate::data::{Among, Condition, PAIRS, Range, Test};
use crate::error::Result;

/// Writes the statement that counts a table as a plan asks, for [`AuditPlan::audit_counted`] to read the answer. It is one
/// `SELECT` without an end mark, so that it can be put behind `CREATE TABLE ... AS` or into the brackets of a `COPY`.
///
/// Names and values are quoted for the dialect, whatever they hold.
///
/// # Errors
/// [`Error::BadSetting`](crate::Error::BadSetting) for what the statement cannot do as a reader of files does: bands by
/// quantiles, segments by parts, a list of missing texts without the empty one, names that the dialect cannot hold; and the
/// errors of the question, as for [`Source::tally`](crate::data::source::Source::tally).
///
/// # Examples
/// ```
/// use evenhand::audit::AuditPlan;
/// use evenhand::data::Columns;
/// use evenhand::engine::{self, Dialect, TableName};
/// let columns = Columns::new().attribute("sex".parse()?).decision("targeted").weight("w");
/// let plan = AuditPlan::new().columns(columns);
/// let statement = engine::sql(&plan, &TableName::new(["a\"b; DROP TABLE c"]), Dialect::Postgres)?;
/// assert!(statement.contains(r#"FROM "a""b; DROP TABLE c" AS q"#));
/// assert!(statement.contains(r#"SUM(q.w * q.w)"#));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn sql(plan: &AuditPlan, table: &TableName, dialect: Dialect) -> Result<String> {
    plan.check()?;
    let question = Question::new(&plan.columns, &plan.extra())?;
    let statement = Statement {
        question: &question,
        dialect,
        columns: Vec::new(),
        uses: Vec::new(),
        parts: Vec::new(),
        conditions: Vec::new(),
        texts: Vec::new(),
    };
    statement.write(table)
}

struct Statement<'q> {
    question: &'q Question,
    dialect: Dialect,
    /// The columns of the table, each once.
    columns: Vec<&'q str>,
    /// What each is read as.
    uses: Vec<Uses>,
    parts: Vec<Part>,
    /// What rows must satisfy.
    conditions: Vec<Held>,
    /// The texts of labels and decisions, missing ones apart.
    texts: Vec<String>,
}

/// What a column of the table is read as.
#[derive(Default)]
struct Uses {
    text: bool,
    number: bool,
    /// Whether the number is cut into bands or compared, where what is missing is told by its text, too.
    banded: bool,
}

/// A column of the answer on its way.
struct Part {
    /// Its name; none for the weight.
    name: Option<String>,
    /// What is made of a number, row by row.
    of_row: Option<String>,
    /// What the answer holds, once equal rows are together.
    value: String,
    /// Where it holds what it cannot hold: 1, else 0. Of numbers it is found row by row.
    fault: String,
}

/// A number, and when it is missing.
struct Numbered {
    number: String,
    /// Branches of a `CASE` for what says missing, each with `{}` for what it gives.
    missing: String,
    /// Whether nothing is there.
    absent: String,
}

/// A condition on rows.
struct Held {
    /// Whether it is of a number, and so known row by row.
    of_row: bool,
    is_true: String,
    /// Where a value cannot be compared: 1, else 0.
    fault: String,
}

/// A query that reads from the next one as `q`.
struct Layer {
    columns: Vec<String>,
    /// What its rows must satisfy.
    kept: Option<String>,
    groups: Vec<String>,
}

impl Layer {
    fn of(columns: Vec<String>) -> Self {
        Layer { columns, kept: None, groups: Vec::new() }
    }
}

impl<'q> Statement<'q> {
    fn write(mut self, table: &TableName) -> Result<String> {
        let question = self.question;
        for level in &question.levels {
            let part = self.level(level)?;
            self.parts.push(part);
        }
        for binary in &question.binaries {
            let part = self.binary(binary)?;
            self.parts.push(part);
        }
        for score in &question.scores {
            let part = self.score(&score.name, &score.column)?;
            self.parts.push(part);
        }
        if let Some(weight) = &question.weight {
            let part = self.weight(weight);
            self.parts.push(part);
        }
        for condition in question.conditions() {
            let held = self.condition(condition)?;
            self.conditions.push(held);
        }
        let mut layers = vec![self.answer()?, self.cells()?, self.trimmed()?, self.grouped()];
        if self.has_numbers() {
            layers.extend([self.of_rows(), self.numbers()]);
            if self.dialect.reads_numbers_from_text() {
                layers.push(self.texts_of_numbers()?);
            }
        }
        layers.push(self.innermost()?);
        Ok(nested(&layers, &table.quoted(self.dialect)?))
    }

    /// The counts of the answer.
    fn answer(&self) -> Result<Layer> {
        let name = |name: &str| self.dialect.identifier(name);
        let mut columns = vec![format!("{} AS {}", self.dialect.literal(&self.question.mark())?, name("question")?)];
        let mut groups = Vec::new();
        for part in self.parts.iter().filter_map(|part| part.name.as_deref()).chain(["fault"]) {
            let quoted = name(part)?;
            groups.push(format!("q.{quoted}"));
            columns.push(format!("q.{quoted} AS {quoted}"));
        }
        columns.push(format!("CAST(SUM(q.n) AS {}) AS {}", self.dialect.whole(), name("row_count")?));
        if self.question.weight.is_some() {
            columns.push(format!("SUM(q.sw) AS {}", name("weight")?));
            columns.push(format!("SUM(q.ss) AS {}", name("weight_squared")?));
        }
        for (at, binary) in self.question.binaries.iter().enumerate() {
            columns.push(format!("MIN(q.b{at}) AS {}", name(&format!("{}_least", binary.name))?));
            columns.push(format!("MAX(q.b{at}) AS {}", name(&format!("{}_most", binary.name))?));
        }
        Ok(Layer { columns, kept: None, groups })
    }

    /// The columns of the answer, and the first fault.
    fn cells(&self) -> Result<Layer> {
        let mut columns = Vec::new();
        for part in &self.parts {
            if let Some(name) = &part.name {
                columns.push(format!("{} AS {}", part.value, self.dialect.identifier(name)?));
            }
        }
        columns.extend(self.texts.iter().enumerate().map(|(at, text)| format!("{text} AS b{at}")));
        let mut faults = self.faults(false);
        if !self.dialect.reads_numbers_from_text() {
            // The standard leaves to the engine whether capitals count.
            faults.insert(0, format!("WHEN 'a' = 'A' THEN {}", self.parts.len() + self.conditions.len() + 1));
        }
        let rest = if self.has_numbers() { "q.nf" } else { "0" };
        let fault = if faults.is_empty() { rest.into() } else { format!("CASE {} ELSE {rest} END", faults.join(" ")) };
        columns.push(format!("{fault} AS {}", self.dialect.identifier("fault")?));
        columns.extend(self.sums().map(|sum| format!("q.{sum}")));
        Ok(Layer { kept: self.kept(), ..Layer::of(columns) })
    }

    /// Which part or condition, of rows or not, has the first fault, by its number from 1.
    fn faults(&self, of_row: bool) -> Vec<String> {
        let parts = self.parts.iter().map(|part| (part.of_row.is_some(), &part.fault));
        let all = parts.chain(self.conditions.iter().map(|held| (held.of_row, &held.fault))).enumerate();
        let wanted = all.filter(|(_, (of, _))| *of == of_row);
        wanted.map(|(at, (_, fault))| format!("WHEN {fault} = 1 THEN {}", at + 1)).collect()
    }

    /// What rows satisfy that are counted. Those of which a value cannot be compared are kept, so that it is told.
    fn kept(&self) -> Option<String> {
        let of_numbers = self.has_conditions_of_numbers();
        let texts = || self.conditions.iter().filter(|held| !held.of_row);
        let held = of_numbers.then(|| "q.held = 1".to_string());
        let all: Vec<String> = held.into_iter().chain(texts().map(|held| format!("({})", held.is_true))).collect();
        let wrong = of_numbers.then(|| "q.held = 2".to_string()).into_iter();
        let wrong: String = wrong
            .chain(texts().map(|held| format!("{} = 1", held.fault)))
            .map(|wrong| format!(" OR {wrong}"))
            .collect();
        (!all.is_empty()).then(|| format!("({}){wrong}", all.join(" AND ")))
    }

    fn has_conditions_of_numbers(&self) -> bool {
        self.conditions.iter().any(|held| held.of_row)
    }

    /// Texts, trimmed.
    fn trimmed(&self) -> Result<Layer> {
        let mut columns = Vec::new();
        for at in self.used(|uses| uses.text) {
            let (kind, written) = (format!("q.k{at}"), format!("q.w{at}"));
            let wrong = self.dialect.is_unreadable(&kind, &written)?;
            columns.push(format!("{} AS t{at}", self.dialect.trimmed(&kind, &written)?));
            columns.push(format!("CASE WHEN {written} IS NOT NULL AND {wrong} THEN 1 ELSE 0 END AS u{at}"));
        }
        columns.extend(self.made_of_numbers());
        columns.extend(self.sums().map(|sum| format!("q.{sum}")));
        Ok(Layer::of(columns))
    }

    /// Equal rows together.
    fn grouped(&self) -> Layer {
        let groups: Vec<String> = self.passed().chain(self.made_of_numbers()).collect();
        let sums = self.sums().map(|sum| match sum {
            "sw" => "SUM(q.w) AS sw".to_string(),
            "ss" => "SUM(q.w * q.w) AS ss".to_string(),
            _ => "COUNT(*) AS n".to_string(),
        });
        // DataFusion would test a key where it reads rows, with all that the key is made of written out again in each place: that
        // takes seconds to plan, and what comes of it is too deep to be sent to a cluster. What an aggregate gives stays here.
        let handed = |group: &String| match (self.dialect, group.as_str()) {
            (Dialect::DataFusion, "q.held") => "MIN(q.held) AS held".to_string(),
            _ => group.clone(),
        };
        Layer { columns: groups.iter().map(handed).chain(sums).collect(), kept: None, groups }
    }

    /// What is made of the numbers of a row.
    fn of_rows(&self) -> Layer {
        let mut columns: Vec<String> = self.passed().collect();
        for (at, part) in self.parts.iter().enumerate() {
            if let Some(value) = &part.of_row {
                let alias = if part.name.is_some() { format!("p{at}") } else { "w".into() };
                columns.push(format!("{value} AS {alias}"));
            }
        }
        columns.push(format!("CASE {} ELSE 0 END AS nf", self.faults(true).join(" ")));
        if self.has_conditions_of_numbers() {
            let of = || self.conditions.iter().filter(|held| held.of_row);
            let wrong: Vec<String> = of().map(|held| format!("{} = 1", held.fault)).collect();
            let all: Vec<String> = of().map(|held| format!("({})", held.is_true)).collect();
            columns.push(format!(
                "CASE WHEN {} THEN 2 WHEN {} THEN 1 ELSE 0 END AS held",
                wrong.join(" OR "),
                all.join(" AND ")
            ));
        }
        Layer::of(columns)
    }

    fn numbers(&self) -> Layer {
        let mut columns: Vec<String> = self.passed().collect();
        for at in self.used(|uses| uses.number) {
            let (column, kind, text) = (format!("q.c{at}"), format!("q.k{at}"), format!("q.t{at}"));
            columns.push(format!("{} AS x{at}", self.dialect.parsed(&column, &kind, &text)));
            let float = self.dialect.is_float(&kind);
            columns.extend(float.map(|is| format!("CASE WHEN {is} THEN 1 ELSE 0 END AS f{at}")));
            columns.extend(self.dialect.reads_numbers_from_text().then_some(text));
        }
        Layer::of(columns)
    }

    fn texts_of_numbers(&self) -> Result<Layer> {
        let mut columns: Vec<String> = self.passed().collect();
        for at in self.used(|uses| uses.number) {
            columns.push(format!("q.c{at}"));
            if !self.uses[at].text {
                columns.push(format!("q.k{at}"));
            }
            columns.push(format!("{} AS t{at}", self.dialect.trimmed(&format!("q.k{at}"), &format!("q.n{at}"))?));
        }
        Ok(Layer::of(columns))
    }

    /// The columns of the table with their types.
    fn innermost(&self) -> Result<Layer> {
        let dialect = self.dialect;
        let wholes = self.missing_wholes();
        let mut columns = Vec::new();
        for (at, uses) in self.uses.iter().enumerate() {
            let column = format!("q.{}", dialect.identifier(self.columns[at])?);
            let kind = dialect.type_of(&column);
            columns.extend(kind.iter().map(|kind| format!("{kind} AS k{at}")));
            if uses.text {
                columns.push(format!("{} AS w{at}", dialect.written(&column)));
            }
            if uses.number {
                columns.push(format!("{column} AS c{at}"));
                let wholes = wholes.as_deref().filter(|_| uses.banded);
                let text = dialect.text_of_number(&column, uses.banded, wholes);
                columns.extend(text.map(|text| format!("{text} AS n{at}")));
            }
        }
        Ok(Layer::of(columns))
    }

    /// The columns that are read as something.
    fn used(&self, how: impl Fn(&Uses) -> bool) -> impl Iterator<Item = usize> {
        self.uses.iter().enumerate().filter(move |(_, uses)| how(uses)).map(|(at, _)| at)
    }

    fn has_numbers(&self) -> bool {
        self.uses.iter().any(|uses| uses.number)
    }

    /// What of the columns of text is handed on until equal rows are together.
    fn passed(&self) -> impl Iterator<Item = String> {
        let typed = self.dialect.type_of("").is_some();
        self.used(|uses| uses.text)
            .flat_map(move |at| typed.then(|| format!("q.k{at}")).into_iter().chain([format!("q.w{at}")]))
    }

    /// What is made of numbers, as it is handed on.
    fn made_of_numbers(&self) -> impl Iterator<Item = String> {
        let made = self.parts.iter().enumerate().filter(|(_, part)| part.of_row.is_some() && part.name.is_some());
        let flags = [self.has_numbers().then_some("q.nf"), self.has_conditions_of_numbers().then_some("q.held")];
        made.map(|(at, _)| format!("q.p{at}")).chain(flags.into_iter().flatten().map(String::from))
    }

    fn sums(&self) -> impl Iterator<Item = &'static str> {
        let weighted = if self.question.weight.is_some() { &["sw", "ss"][..] } else { &[] };
        ["n"].into_iter().chain(weighted.iter().copied())
    }

    fn column(&mut self, name: &'q str) -> usize {
        self.columns.iter().position(|c| *c == name).unwrap_or_else(|| {
            self.columns.push(name);
            self.uses.push(Uses::default());
            self.columns.len() - 1
        })
    }

    /// A column's text, and where it is 1 that it cannot be read as one.
    fn text(&mut self, column: &'q str) -> (String, String) {
        let at = self.column(column);
        self.uses[at].text = true;
        (format!("q.t{at}"), format!("q.u{at}"))
    }

    /// A column as a number, its text where there may be one, and where it is 1 that it was a floating-point number.
    fn number(&mut self, column: &'q str) -> (String, Option<String>, Option<String>) {
        let at = self.column(column);
        self.uses[at].number = true;
        let texts = self.dialect.reads_numbers_from_text();
        (format!("q.x{at}"), texts.then(|| format!("q.t{at}")), texts.then(|| format!("q.f{at}")))
    }

    fn missing(&self) -> Result<String> {
        self.dialect.literals(self.question.missing.iter().map(String::as_str))
    }

    /// Missing texts that are numbers, as numbers.
    fn missing_numbers(&self) -> Option<String> {
        self.numbers_among_missing(|_, value| value.is_finite())
    }

    /// Missing texts that whole numbers may be written as, as numbers.
    fn missing_wholes(&self) -> Option<String> {
        self.numbers_among_missing(|text, _| text.parse().is_ok_and(|whole: i128| whole.to_string() == text))
    }

    fn numbers_among_missing(&self, is_wanted: impl Fn(&str, f64) -> bool) -> Option<String> {
        let wanted = |text: &String| text.parse().ok().filter(|value| is_wanted(text, *value));
        let numbers: Vec<String> =
            self.question.missing.iter().filter_map(wanted).map(|v| self.dialect.number(v)).collect();
        (!numbers.is_empty()).then(|| numbers.join(", "))
    }

    fn level(&mut self, level: &'q Level) -> Result<Part> {
        match level.ranges() {
            Some(ranges) => self.banded(level, ranges),
            None => self.plain(level),
        }
    }

    fn plain(&mut self, level: &'q Level) -> Result<Part> {
        let (text, fault) = self.text(&level.column.name);
        let mut merged: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (old, new) in &level.column.rename {
            merged.entry(new).or_default().push(old);
        }
        let mut value = String::from("CASE");
        for (new, old) in merged {
            // A missing text that is used as a name says missing.
            let new = if self.question.missing.iter().any(|m| m == new) {
                "NULL".into()
            } else {
                self.dialect.literal(new)?
            };
            value += &format!(" WHEN {text} IN ({}) THEN {new}", self.dialect.literals(old)?);
        }
        value += &format!(" WHEN {text} IN ({}) THEN NULL ELSE {text} END", self.missing()?);
        Ok(Part { name: Some(level.name.clone()), of_row: None, value, fault })
    }

    fn banded(&mut self, level: &'q Level, ranges: &[Range]) -> Result<Part> {
        let Numbered { number, missing, absent } = self.numbered(&level.column.name)?;
        // Bands go by their numbers until equal rows are together.
        let band = format!("q.p{}", self.parts.len());
        let (mut of_row, mut value, mut inside) = (String::new(), String::new(), String::new());
        for (at, range) in ranges.iter().enumerate() {
            let is_in = self.is_in(&number, range);
            of_row += &format!(" WHEN {is_in} THEN {at}");
            value += &format!(" WHEN {band} = {at} THEN {}", self.dialect.literal(range.label())?);
            inside += &format!(" WHEN {is_in} THEN 0");
        }
        Ok(Part {
            name: Some(level.name.clone()),
            of_row: Some(format!("CASE{}{of_row} END", missing.replace("{}", "NULL"))),
            value: format!("CASE{value} END"),
            fault: format!("CASE WHEN {absent} THEN 0{}{inside} ELSE 1 END", missing.replace("{}", "0")),
        })
    }

    /// A column as a number that is missing as a level is: a text as it is written, a number by its value.
    fn numbered(&mut self, column: &'q str) -> Result<Numbered> {
        let (number, text, float) = self.number(column);
        let at = self.column(column);
        self.uses[at].banded = true;
        let (mut missing, mut absent) = (String::new(), format!("{number} IS NULL"));
        if let Some(text) = &text {
            missing += &format!(" WHEN {text} IN ({}) THEN {{}}", self.missing()?);
            absent += &format!(" AND {text} IS NULL");
        }
        match (self.missing_numbers(), &float) {
            (Some(numbers), Some(float)) => {
                missing += &format!(" WHEN {float} = 1 AND {number} IN ({numbers}) THEN {{}}")
            }
            (Some(numbers), None) => missing += &format!(" WHEN {number} IN ({numbers}) THEN {{}}"),
            (None, _) => {}
        }
        Ok(Numbered { number, missing, absent })
    }

    fn is_in(&self, number: &str, range: &Range) -> String {
        let (low, low_in) = range.low().unwrap_or((-f64::MAX, true));
        let (high, high_in) = range.high().unwrap_or((f64::MAX, true));
        let (low, high) = (self.dialect.number(low), self.dialect.number(high));
        let sign = |with: bool, without: &str| if with { format!("{without}=") } else { without.into() };
        format!("{number} {} {low} AND {number} {} {high}", sign(low_in, ">"), sign(high_in, "<"))
    }

    fn binary(&mut self, binary: &'q Binary) -> Result<Part> {
        let (text, fault) = self.text(&binary.column);
        let missing = format!("WHEN {text} IS NULL OR {text} IN ({}) THEN NULL", self.missing()?);
        let value = if binary.favorable.is_empty() {
            let of = |code: usize| self.dialect.literals(PAIRS.iter().map(|pair| pair[code]));
            format!(
                "CASE {missing} WHEN LOWER({text}) IN ({}) THEN 1 WHEN LOWER({text}) IN ({}) THEN 0 END",
                of(1)?,
                of(0)?
            )
        } else {
            let favorable = self.dialect.literals(binary.favorable.iter().map(String::as_str))?;
            format!("CASE {missing} WHEN {text} IN ({favorable}) THEN 1 ELSE 0 END")
        };
        self.texts.push(format!("CASE {missing} ELSE {text} END"));
        Ok(Part { name: Some(binary.name.clone()), of_row: None, value, fault })
    }

    fn score(&mut self, name: &str, column: &'q str) -> Result<Part> {
        let (number, text, _) = self.number(column);
        let finite = self.dialect.is_finite(&number);
        let missing =
            self.missing_numbers().map_or(String::new(), |all| format!(" WHEN {number} IN ({all}) THEN {{}}"));
        let zero = self.dialect.number(0.0);
        let value = format!(
            "CASE{} WHEN {number} = {zero} THEN {zero} WHEN {finite} THEN {number} END",
            missing.replace("{}", "NULL")
        );
        // `NaN` among the missing texts is meant for labels and levels, as in files.
        let absent: Vec<&str> =
            self.question.missing.iter().map(String::as_str).filter(|m| m.parse::<f64>().is_err()).collect();
        let given = match &text {
            Some(text) => {
                let absent = self.dialect.literals(absent)?;
                format!("WHEN {number} IS NULL AND ({text} IS NULL OR {text} IN ({absent})) THEN 0")
            }
            None => format!("WHEN {number} IS NULL THEN 0"),
        };
        Ok(Part {
            name: Some(name.into()),
            of_row: Some(value),
            value: format!("q.p{}", self.parts.len()),
            fault: format!("CASE {given}{} WHEN {finite} THEN 0 ELSE 1 END", missing.replace("{}", "0")),
        })
    }

    fn weight(&mut self, column: &'q str) -> Part {
        let (number, ..) = self.number(column);
        let missing =
            self.missing_numbers().map_or(String::new(), |all| format!(" WHEN {number} IN ({all}) THEN {{}}"));
        let (zero, low, high) = (self.dialect.number(0.0), self.dialect.number(1e-100), self.dialect.number(1e100));
        let sound = format!("{number} = {zero} OR ({number} >= {low} AND {number} <= {high})");
        Part {
            name: None,
            of_row: Some(format!("CASE{} WHEN {sound} THEN {number} ELSE {zero} END", missing.replace("{}", &zero))),
            value: String::new(),
            fault: format!("CASE{} WHEN {sound} THEN 0 ELSE 1 END", missing.replace("{}", "1")),
        }
    }

    /// A condition, tested on texts as levels are and on numbers as bands are.
    fn condition(&mut self, condition: &'q Condition) -> Result<Held> {
        if condition.test.is_of_numbers() {
            return self.of_numbers(condition);
        }
        let (text, fault) = self.text(&condition.column);
        let missing = self.missing()?;
        let known = |is: String| format!("{is} AND {text} NOT IN ({missing})");
        let (is_true, fault) = match &condition.test {
            Test::Texts(texts, among) => {
                let texts = self.dialect.literals(texts.iter().map(String::as_str))?;
                (known(format!("{text} {} ({texts})", if *among == Among::One { "IN" } else { "NOT IN" })), fault)
            }
            Test::Day(side, day) => {
                let dated = self.dialect.is_dated(&text);
                let none = format!("{text} IS NULL OR {text} IN ({missing})");
                let is_true = known(format!("{text} {} {}", side.sign(), self.dialect.literal(day)?));
                (is_true, format!("CASE WHEN {none} OR {dated} THEN {fault} ELSE 1 END"))
            }
            // However a value is written, it is one.
            Test::Missing => (format!("{text} IS NULL OR {text} IN ({missing})"), "0".into()),
            Test::Known | Test::Numbers(..) | Test::Number(..) => (known(format!("{text} IS NOT NULL")), "0".into()),
        };
        Ok(Held { of_row: false, is_true, fault })
    }

    fn of_numbers(&mut self, condition: &'q Condition) -> Result<Held> {
        let Numbered { number, missing, absent } = self.numbered(&condition.column)?;
        let list = |numbers: &[f64]| numbers.iter().map(|n| self.dialect.number(*n)).collect::<Vec<_>>().join(", ");
        let test = match &condition.test {
            Test::Numbers(numbers, Among::One) => format!("{number} IN ({})", list(numbers)),
            Test::Numbers(numbers, Among::None) => format!("{number} NOT IN ({})", list(numbers)),
            Test::Number(side, bound) => format!("{number} {} {}", side.sign(), self.dialect.number(*bound)),
            _ => "1 = 0".into(),
        };
        let finite = self.dialect.is_finite(&number);
        Ok(Held {
            of_row: true,
            is_true: format!("CASE{} WHEN {test} THEN 1 ELSE 0 END = 1", missing.replace("{}", "0")),
            fault: format!("CASE WHEN {absent} THEN 0{} WHEN {finite} THEN 0 ELSE 1 END", missing.replace("{}", "0")),
        })
    }
}

/// Queries one in the other, the outermost first.
fn nested(layers: &[Layer], table: &str) -> String {
    let (mut before, mut behind) = (String::new(), String::new());
    for (depth, layer) in layers.iter().enumerate() {
        let list = |items: &[String]| items.join(&format!(",\n{:1$}", "", 2 * depth + 2));
        let indent = " ".repeat(2 * depth);
        let last = depth + 1 == layers.len();
        let from = if last { format!("{table} AS q\n") } else { "(\n".into() };
        before += &format!("{indent}SELECT\n{indent}  {}\n{indent}FROM {from}", list(&layer.columns));
        let groups = if layer.groups.is_empty() {
            String::new()
        } else {
            format!("{indent}GROUP BY\n{indent}  {}\n", list(&layer.groups))
        };
        let kept = layer.kept.as_ref().map_or(String::new(), |kept| format!("{indent}WHERE {kept}\n"));
        let end = if last { format!("{kept}{groups}") } else { format!("{indent}) AS q\n{kept}{groups}") };
        behind.insert_str(0, &end);
    }
    before + &behind
}
