//! The statement: a plan's question in the SQL of an engine.
//!
//! It is five queries, one in the other, so that nothing is worked out twice and no name of the table's can be mistaken for
//! one of the statement's: columns (`c`) with their types (`k`) and as texts (`w`); trimmed texts (`t`), and which cannot
//! be read as such (`u`); numbers (`x`), and which were floating-point ones (`f`); the columns of the answer; and the counts.

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
/// assert!(statement.contains(r#"FROM "a""b; DROP TABLE c" AS s"#));
/// assert!(statement.contains(r#"SUM(a.w * a.w) AS "weight_squared""#));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn sql(plan: &AuditPlan, table: &TableName, dialect: Dialect) -> Result<String> {
    plan.check()?;
    let question = Question::new(&plan.columns, &plan.extra())?;
    Statement { question: &question, dialect, columns: Vec::new(), uses: Vec::new() }.write(table)
}

struct Statement<'q> {
    question: &'q Question,
    dialect: Dialect,
    /// The columns of the table, each once.
    columns: Vec<&'q str>,
    /// What each is read as.
    uses: Vec<Uses>,
}

/// What a column of the table is read as.
#[derive(Default)]
struct Uses {
    text: bool,
    number: bool,
}

/// A column of the answer on its way.
struct Part {
    /// Its name, for the third query quoted.
    name: String,
    value: String,
    /// Where it holds what it cannot hold: 1, else 0.
    fault: String,
}

/// A condition on rows.
struct Held {
    is_true: String,
    /// Where a value cannot be compared: 1, else 0.
    fault: String,
}

impl<'q> Statement<'q> {
    fn write(mut self, table: &TableName) -> Result<String> {
        let (question, dialect) = (self.question, self.dialect);
        let mut parts: Vec<Part> = Vec::new();
        let mut texts: Vec<(String, String)> = Vec::new();
        for level in &question.levels {
            parts.push(self.level(level)?);
        }
        for (at, binary) in question.binaries.iter().enumerate() {
            let (part, text) = self.binary(binary)?;
            parts.push(part);
            texts.push((format!("b{}", at + 1), text));
        }
        for score in &question.scores {
            parts.push(self.score(&score.name, &score.column)?);
        }
        let keys = parts.len();
        if let Some(weight) = &question.weight {
            parts.push(self.weight(weight)?);
        }
        let conditions: Vec<Held> =
            question.conditions().iter().map(|condition| self.condition(condition)).collect::<Result<_>>()?;

        let name = |name: &str| dialect.identifier(name);
        let mut answer = vec![format!("{} AS {}", dialect.literal(&question.mark())?, name("question")?)];
        let mut groups = Vec::new();
        for part in &parts[..keys] {
            let quoted = name(&part.name)?;
            groups.push(format!("a.{quoted}"));
            answer.push(format!("a.{quoted} AS {quoted}"));
        }
        groups.push(format!("a.{}", name("fault")?));
        answer.push(format!("a.{0} AS {0}", name("fault")?));
        answer.push(format!("COUNT(*) AS {}", name("row_count")?));
        if question.weight.is_some() {
            answer.push(format!("SUM(a.w) AS {}", name("weight")?));
            answer.push(format!("SUM(a.w * a.w) AS {}", name("weight_squared")?));
        }
        for (binary, (text, _)) in question.binaries.iter().zip(&texts) {
            answer.push(format!("MIN(a.{text}) AS {}", name(&format!("{}_least", binary.name))?));
            answer.push(format!("MAX(a.{text}) AS {}", name(&format!("{}_most", binary.name))?));
        }

        let mut cells = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let alias = if at < keys { name(&part.name)? } else { "w".into() };
            cells.push(format!("{} AS {alias}", part.value));
        }
        cells.extend(texts.iter().map(|(alias, text)| format!("{text} AS {alias}")));
        let checked = parts.iter().map(|part| &part.fault).chain(conditions.iter().map(|held| &held.fault));
        let mut faults: Vec<String> =
            checked.enumerate().map(|(at, fault)| format!("WHEN {fault} = 1 THEN {}", at + 1)).collect();
        if !dialect.reads_numbers_from_text() {
            // The standard leaves to the engine whether capitals count.
            faults.insert(0, format!("WHEN 'a' = 'A' THEN {}", faults.len() + 1));
        }
        cells.push(format!("CASE {} ELSE 0 END AS {}", faults.join(" "), name("fault")?));

        let list = |items: Vec<String>, indent: usize| items.join(&format!(",\n{:indent$}", ""));
        let [columns, texts, numbers] = self.inner()?;
        // What cannot be compared is kept, so that it is told.
        let kept = match conditions.as_slice() {
            [] => String::new(),
            all => {
                let true_of = all.iter().map(|held| format!("({})", held.is_true)).collect::<Vec<_>>().join(" AND ");
                let wrong: String = all.iter().map(|held| format!("\n    OR {} = 1", held.fault)).collect();
                format!("\n  WHERE ({true_of}){wrong}")
            }
        };
        Ok(format!(
            "SELECT\n  {}\nFROM (\n  SELECT\n    {}\n  FROM (\n    SELECT\n      {}\n    FROM (\n      SELECT\n        {}\n      \
             FROM (\n        SELECT\n          {}\n        FROM {} AS s\n      ) AS p\n    ) AS r\n  ) AS v{kept}\n) AS a\nGROUP BY\n  {}\n",
            list(answer, 2),
            list(cells, 4),
            list(numbers, 6),
            list(texts, 8),
            list(columns, 10),
            table.quoted(dialect)?,
            list(groups, 2)
        ))
    }

    /// The columns of the three inner queries, the innermost first.
    fn inner(&self) -> Result<[Vec<String>; 3]> {
        let dialect = self.dialect;
        let [mut columns, mut texts, mut numbers] = [const { Vec::new() }; 3];
        for (at, uses) in self.uses.iter().enumerate() {
            let column = format!("s.{}", dialect.identifier(self.columns[at])?);
            let (kind, written) = (format!("p.k{at}"), format!("p.w{at}"));
            let typed = dialect.type_of(&column);
            if uses.number {
                columns.push(format!("{column} AS c{at}"));
                texts.push(format!("p.c{at} AS c{at}"));
                texts.extend(typed.iter().map(|_| format!("{kind} AS k{at}")));
                numbers.push(format!(
                    "{} AS x{at}",
                    dialect.parsed(&format!("r.c{at}"), &format!("r.k{at}"), &format!("r.t{at}"))
                ));
                let float = dialect.is_float(&format!("r.k{at}"));
                numbers.extend(float.map(|is| format!("CASE WHEN {is} THEN 1 ELSE 0 END AS f{at}")));
            }
            columns.extend(typed.map(|kind| format!("{kind} AS k{at}")));
            if uses.text || dialect.reads_numbers_from_text() {
                columns.push(format!("{} AS w{at}", dialect.written(&column)));
                texts.push(format!("{} AS t{at}", dialect.trimmed(&kind, &written)?));
                numbers.push(format!("r.t{at} AS t{at}"));
            }
            if uses.text {
                let wrong = dialect.is_unreadable(&kind, &written)?;
                texts.push(format!("CASE WHEN {written} IS NOT NULL AND {wrong} THEN 1 ELSE 0 END AS u{at}"));
                numbers.push(format!("r.u{at} AS u{at}"));
            }
        }
        Ok([columns, texts, numbers])
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
        (format!("v.t{at}"), format!("v.u{at}"))
    }

    /// A column as a number, its text where there may be one, and where it is 1 that it was a floating-point number.
    fn number(&mut self, column: &'q str) -> (String, Option<String>, Option<String>) {
        let at = self.column(column);
        self.uses[at].number = true;
        let texts = self.dialect.reads_numbers_from_text();
        (format!("v.x{at}"), texts.then(|| format!("v.t{at}")), texts.then(|| format!("v.f{at}")))
    }

    fn missing(&self) -> Result<String> {
        self.dialect.literals(self.question.missing.iter().map(String::as_str))
    }

    /// Missing texts that are numbers, as numbers.
    fn missing_numbers(&self) -> Option<String> {
        let finite = |text: &String| text.parse().ok().filter(|v: &f64| v.is_finite());
        let numbers: Vec<String> =
            self.question.missing.iter().filter_map(finite).map(|v| self.dialect.number(v)).collect();
        (!numbers.is_empty()).then(|| numbers.join(", "))
    }

    /// The cases of a column of numbers that are missing, `{}` standing for what they give: a text is missing as it is
    /// written, a number by its value.
    fn missing_numbered(&self, text: &Option<String>, float: &Option<String>, number: &str) -> Result<String> {
        let mut missing = String::new();
        if let Some(text) = text {
            missing += &format!(" WHEN {text} IN ({}) THEN {{}}", self.missing()?);
        }
        match (self.missing_numbers(), float) {
            (Some(numbers), Some(float)) => {
                missing += &format!(" WHEN {float} = 1 AND {number} IN ({numbers}) THEN {{}}")
            }
            (Some(numbers), None) => missing += &format!(" WHEN {number} IN ({numbers}) THEN {{}}"),
            (None, _) => {}
        }
        Ok(missing)
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
        Ok(Part { name: level.name.clone(), value, fault })
    }

    fn banded(&mut self, level: &'q Level, ranges: &[Range]) -> Result<Part> {
        let (number, text, float) = self.number(&level.column.name);
        let missing = self.missing_numbered(&text, &float, &number)?;
        let (mut value, mut inside) = (String::new(), String::new());
        for range in ranges {
            let is_in = self.is_in(&number, range);
            value += &format!(" WHEN {is_in} THEN {}", self.dialect.literal(range.label())?);
            inside += &format!(" WHEN {is_in} THEN 0");
        }
        let given = text.as_ref().unwrap_or(&number);
        Ok(Part {
            name: level.name.clone(),
            value: format!("CASE{}{value} END", missing.replace("{}", "NULL")),
            fault: format!("CASE WHEN {given} IS NULL THEN 0{}{inside} ELSE 1 END", missing.replace("{}", "0")),
        })
    }

    fn is_in(&self, number: &str, range: &Range) -> String {
        let (low, low_in) = range.low().unwrap_or((-f64::MAX, true));
        let (high, high_in) = range.high().unwrap_or((f64::MAX, true));
        let (low, high) = (self.dialect.number(low), self.dialect.number(high));
        let sign = |with: bool, without: &str| if with { format!("{without}=") } else { without.into() };
        format!("{number} {} {low} AND {number} {} {high}", sign(low_in, ">"), sign(high_in, "<"))
    }

    fn binary(&mut self, binary: &'q Binary) -> Result<(Part, String)> {
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
        Ok((Part { name: binary.name.clone(), value, fault }, format!("CASE {missing} ELSE {text} END")))
    }

    fn score(&mut self, name: &str, column: &'q str) -> Result<Part> {
        let (number, text, _) = self.number(column);
        let finite = self.is_finite(&number);
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
            Some(text) => format!(
                "WHEN {text} IS NULL THEN 0 WHEN {number} IS NULL AND {text} IN ({}) THEN 0",
                self.dialect.literals(absent)?
            ),
            None => format!("WHEN {number} IS NULL THEN 0"),
        };
        let fault = format!("CASE {given}{} WHEN {finite} THEN 0 ELSE 1 END", missing.replace("{}", "0"));
        Ok(Part { name: name.into(), value, fault })
    }

    fn weight(&mut self, column: &'q str) -> Result<Part> {
        let (number, ..) = self.number(column);
        let missing =
            self.missing_numbers().map_or(String::new(), |all| format!(" WHEN {number} IN ({all}) THEN {{}}"));
        let (zero, low, high) = (self.dialect.number(0.0), self.dialect.number(1e-100), self.dialect.number(1e100));
        let sound = format!("{number} = {zero} OR ({number} >= {low} AND {number} <= {high})");
        Ok(Part {
            name: "weight".into(),
            value: format!("CASE{} WHEN {sound} THEN {number} ELSE {zero} END", missing.replace("{}", &zero)),
            fault: format!("CASE{} WHEN {sound} THEN 0 ELSE 1 END", missing.replace("{}", "1")),
        })
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
        Ok(Held { is_true, fault })
    }

    fn of_numbers(&mut self, condition: &'q Condition) -> Result<Held> {
        let (number, text, float) = self.number(&condition.column);
        let missing = self.missing_numbered(&text, &float, &number)?;
        let list = |numbers: &[f64]| numbers.iter().map(|n| self.dialect.number(*n)).collect::<Vec<_>>().join(", ");
        let test = match &condition.test {
            Test::Numbers(numbers, Among::One) => format!("{number} IN ({})", list(numbers)),
            Test::Numbers(numbers, Among::None) => format!("{number} NOT IN ({})", list(numbers)),
            Test::Number(side, bound) => format!("{number} {} {}", side.sign(), self.dialect.number(*bound)),
            _ => "1 = 0".into(),
        };
        let given = text.as_ref().unwrap_or(&number);
        let finite = self.is_finite(&number);
        Ok(Held {
            is_true: format!("CASE{} WHEN {test} THEN 1 ELSE 0 END = 1", missing.replace("{}", "0")),
            fault: format!(
                "CASE WHEN {given} IS NULL THEN 0{} WHEN {finite} THEN 0 ELSE 1 END",
                missing.replace("{}", "0")
            ),
        })
    }

    fn is_finite(&self, number: &str) -> String {
        let (least, most) = (self.dialect.number(-f64::MAX), self.dialect.number(f64::MAX));
        format!("{number} >= {least} AND {number} <= {most}")
    }
}
