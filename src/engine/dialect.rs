//! How engines spell names, texts, numbers and types.

use std::fmt::{self, Write};
use std::str::FromStr;

use crate::error::{Error, Result};

/// The SQL of an engine.
///
/// DuckDB, Spark, PostgreSQL and DataFusion are tried in the crate's own tests. BigQuery and Snowflake follow their manuals. ANSI is what
/// the standard has for all: there labels and levels must be columns of text and scores, weights and what is cut into
/// bands columns of numbers, and the engine must compare texts exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// DuckDB.
    DuckDb,
    /// Apache Spark SQL.
    Spark,
    /// PostgreSQL.
    Postgres,
    /// Google BigQuery.
    BigQuery,
    /// Snowflake.
    Snowflake,
    /// Apache DataFusion.
    DataFusion,
    /// The standard, ISO/IEC 9075.
    Ansi,
}

/// The names of the dialects, as they are read.
const NAMES: [(&str, Dialect); 7] = [
    ("duckdb", Dialect::DuckDb),
    ("spark", Dialect::Spark),
    ("postgres", Dialect::Postgres),
    ("bigquery", Dialect::BigQuery),
    ("snowflake", Dialect::Snowflake),
    ("datafusion", Dialect::DataFusion),
    ("ansi", Dialect::Ansi),
];

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES.iter().find(|(_, dialect)| dialect == self).map_or("", |(name, _)| name))
    }
}

impl FromStr for Dialect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = NAMES.iter().find(|(name, _)| *name == text).map(|(_, dialect)| *dialect);
        found.ok_or_else(|| Error::unknown("dialect", text, "", NAMES.map(|(name, _)| name)))
    }
}

/// The name of a table with the schema, catalogue or project that it is in.
///
/// Written with points between the parts. A part in double quotes may hold points; a double quote in it is doubled. Parts
/// are taken letter by letter, as if quoted in SQL.
///
/// # Examples
/// ```
/// use evenhand::engine::TableName;
/// let table: TableName = r#"sales."customers.2026""#.parse()?;
/// assert_eq!(table, TableName::new(["sales", "customers.2026"]));
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName(Vec<String>);

impl TableName {
    /// From its parts, the outermost first.
    pub fn new<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        TableName(parts.into_iter().map(Into::into).collect())
    }

    pub(super) fn quoted(&self, dialect: Dialect) -> Result<String> {
        if self.0.is_empty() {
            return Err(Error::setting("the name of the table", "empty", "a name"));
        }
        let parts: Vec<String> = self.0.iter().map(|part| dialect.identifier(part)).collect::<Result<_>>()?;
        Ok(parts.join("."))
    }
}

impl FromStr for TableName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let expected = "parts with points between them, such as `sales.customers`; quote a part that holds a point";
            Error::setting("the name of the table", format!("`{text}`"), expected)
        };
        let mut parts = vec![String::new()];
        let (mut quoted, mut closed) = (false, false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let part = parts.last_mut().ok_or_else(wrong)?;
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => part.extend(chars.next()),
                '"' if quoted => (quoted, closed) = (false, true),
                '"' if part.is_empty() && !closed => quoted = true,
                '.' if !quoted => {
                    parts.push(String::new());
                    closed = false;
                }
                '"' => return Err(wrong()),
                _ if closed => return Err(wrong()),
                c => part.push(c),
            }
        }
        match quoted || parts.iter().any(String::is_empty) {
            true => Err(wrong()),
            false => Ok(TableName(parts)),
        }
    }
}

/// What Unicode calls white space but for the space: what Rust trims.
const SPACES: &str = "\t\n\u{b}\u{c}\r\u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}";

/// What Rust reads as a finite number, but for those out of range.
const NUMBER: &str = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?";
/// How whole floating-point numbers are written that have the same digits everywhere.
const WHOLE: &str = "-?[0-9]+([.]0)?";
const DATE: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
const PLAIN: &str = "-?[0-9]+([.][0-9]+)?";

impl Dialect {
    /// A name of a column or table.
    pub(super) fn identifier(self, name: &str) -> Result<String> {
        let expected = match () {
            () if name.is_empty() => "a name",
            () if name.contains('\0') => "a name without the character of code 0, which no engine holds",
            // Spark's shell replaces variables even inside quotes.
            () if self == Dialect::Spark && name.contains("${") => {
                "a name without `${`, in which Spark looks for a variable"
            }
            () => {
                return Ok(match self {
                    Dialect::Spark => format!("`{}`", name.replace('`', "``")),
                    Dialect::BigQuery => format!("`{}`", escaped(name, '`')),
                    _ => format!("\"{}\"", name.replace('"', "\"\"")),
                });
            }
        };
        Err(Error::setting("the name of a column or table", format!("`{}`", name.escape_debug()), expected))
    }

    /// A text.
    pub(super) fn literal(self, text: &str) -> Result<String> {
        if text.contains('\0') {
            let expected = "a text without the character of code 0, which no engine holds";
            return Err(Error::setting("a level or value", format!("`{}`", text.escape_debug()), expected));
        }
        let doubled = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let odd = |c: char| c.is_control() || (c.is_whitespace() && c != ' ');
        Ok(match self {
            Dialect::Ansi | Dialect::DataFusion => doubled(text),
            // A settable mode gives backslashes a meaning, unless that is said.
            Dialect::Postgres if text.contains(|c| c == '\\' || odd(c)) => {
                format!("E'{}'", escaped(text, '\'').replace("\\'", "''"))
            }
            Dialect::Postgres => doubled(text),
            Dialect::BigQuery | Dialect::Snowflake => format!("'{}'", escaped(text, '\'')),
            // Modes give backslashes and quotes other meanings, and the shell replaces variables: bytes have one meaning.
            Dialect::Spark if text.contains(['\\', '\'', '"', '$']) || text.contains(odd) => {
                let mut hex = String::new();
                text.bytes().for_each(|byte| {
                    // Writing to a string cannot fail.
                    let _ = write!(hex, "{byte:02X}");
                });
                format!("CAST(X'{hex}' AS STRING)")
            }
            Dialect::Spark => doubled(text),
            Dialect::DuckDb if text.contains(odd) => {
                let mut parts: Vec<String> = Vec::new();
                for piece in text.split_inclusive(odd) {
                    let plain = piece.trim_end_matches(odd);
                    if !plain.is_empty() {
                        parts.push(doubled(plain));
                    }
                    parts.extend(piece[plain.len()..].chars().map(|c| format!("chr({})", u32::from(c))));
                }
                format!("({})", parts.join(" || "))
            }
            Dialect::DuckDb => doubled(text),
        })
    }

    /// A list of texts, to be looked for in.
    pub(super) fn literals<'t>(self, texts: impl IntoIterator<Item = &'t str>) -> Result<String> {
        let all: Vec<String> = texts.into_iter().map(|text| self.literal(text)).collect::<Result<_>>()?;
        Ok(all.join(", "))
    }

    fn double(self) -> &'static str {
        match self {
            Dialect::BigQuery => "FLOAT64",
            Dialect::Postgres | Dialect::Ansi => "DOUBLE PRECISION",
            Dialect::DuckDb | Dialect::Spark | Dialect::Snowflake | Dialect::DataFusion => "DOUBLE",
        }
    }

    /// The type of counts.
    pub(super) fn whole(self) -> &'static str {
        if self == Dialect::BigQuery { "INT64" } else { "BIGINT" }
    }

    /// A finite number, to the last bit.
    pub(super) fn number(self, value: f64) -> String {
        let plain = value == 0.0 || (1e-5..1e15).contains(&value.abs());
        let digits = if plain { format!("{value}") } else { format!("{value:e}") };
        format!("CAST('{digits}' AS {})", self.double())
    }

    /// Whether a number is finite.
    pub(super) fn is_finite(self, number: &str) -> String {
        let (least, most) = (self.number(-f64::MAX), self.number(f64::MAX));
        format!("{number} >= {least} AND {number} <= {most}")
    }

    /// Whether a text is all of a pattern.
    fn matches(self, text: &str, pattern: &str) -> String {
        match self {
            Dialect::DuckDb => format!("regexp_full_match({text}, '{pattern}')"),
            Dialect::Spark => format!("{text} RLIKE '^({pattern})$'"),
            Dialect::Postgres | Dialect::DataFusion => format!("{text} ~ '^({pattern})$'"),
            Dialect::BigQuery => format!("REGEXP_CONTAINS({text}, r'^({pattern})$')"),
            Dialect::Snowflake => format!("REGEXP_LIKE({text}, '{pattern}')"),
            Dialect::Ansi => format!("{text} SIMILAR TO '{pattern}'"),
        }
    }

    /// Whether a text is a day, with or without a time behind it.
    pub(super) fn is_dated(self, text: &str) -> String {
        let timed = match self {
            Dialect::Ansi => format!("{DATE}([ T]%)?"),
            // Any character, the ends of lines too.
            _ => format!("{DATE}([ T]([^x]|x)*)?"),
        };
        self.matches(text, &timed)
    }

    /// The name of a column's type, where it can be asked for.
    pub(super) fn type_of(self, column: &str) -> Option<String> {
        match self {
            Dialect::DuckDb | Dialect::Spark => Some(format!("typeof({column})")),
            Dialect::Postgres => Some(format!("pg_typeof({column})")),
            Dialect::DataFusion => Some(format!("arrow_typeof({column})")),
            Dialect::Snowflake => Some(format!("TYPEOF(TO_VARIANT({column}))")),
            // It has no name of the type, but writes a value as one would write it in a statement.
            Dialect::BigQuery => Some(format!("FORMAT('%T', {column})")),
            Dialect::Ansi => None,
        }
    }

    /// The types of floating-point and of whole numbers that are numbers without a detour by text, where types can be asked
    /// for by name.
    fn numbers(self) -> Option<[&'static str; 2]> {
        match self {
            Dialect::DuckDb => Some([
                "'FLOAT', 'DOUBLE'",
                "'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'",
            ]),
            Dialect::Spark => Some(["'float', 'double'", "'tinyint', 'smallint', 'int', 'bigint'"]),
            Dialect::Postgres => Some(["'real', 'double precision'", "'smallint', 'integer', 'bigint'"]),
            Dialect::DataFusion => Some([
                "'Float32', 'Float64'",
                "'Int8', 'Int16', 'Int32', 'Int64', 'UInt8', 'UInt16', 'UInt32', 'UInt64'",
            ]),
            // Its whole numbers may have more digits than a floating-point number holds.
            Dialect::Snowflake | Dialect::BigQuery | Dialect::Ansi => None,
        }
    }

    /// Whether a type is that of floating-point numbers, where that can be asked.
    pub(super) fn is_float(self, kind: &str) -> Option<String> {
        match self {
            Dialect::Snowflake => Some(format!("{kind} = 'DOUBLE'")),
            Dialect::BigQuery => Some(format!("REGEXP_CONTAINS({kind}, r'^(-?[0-9]+[.e]|CAST)')")),
            _ => self.numbers().map(|[floats, _]| format!("{kind} IN ({floats})")),
        }
    }

    /// The text of a column that is read as a number, NULL where it says no more than the number does: to write numbers as
    /// text takes longer than all else. Where what is missing is told by texts (`told`), `wholes` are those whole numbers
    /// that may be missing.
    pub(super) fn text_of_number(self, column: &str, told: bool, wholes: Option<&str>) -> Option<String> {
        let kind = self.type_of(column)?;
        let written = self.written(column);
        let Some([floats, whole]) = self.numbers() else { return Some(written) };
        let number = self.converted(column);
        // NaN may be missing, and infinity is a fault.
        let of_float = match told {
            true => format!("CASE WHEN {} THEN NULL ELSE {written} END", self.is_finite(&number)),
            false => "NULL".into(),
        };
        let of_whole = match wholes {
            Some(wholes) => format!("CASE WHEN {number} IN ({wholes}) THEN {written} END"),
            None => "NULL".into(),
        };
        Some(format!(
            "CASE WHEN {kind} IN ({floats}) THEN {of_float} WHEN {kind} IN ({whole}) THEN {of_whole} ELSE {written} END"
        ))
    }

    /// A column as the text that a file of it would hold, not yet trimmed.
    pub(super) fn written(self, column: &str) -> String {
        match self {
            Dialect::DuckDb => format!("CAST({column} AS VARCHAR) COLLATE \"C\""),
            Dialect::DataFusion => format!("CAST({column} AS VARCHAR)"),
            Dialect::Postgres => format!("CAST({column} AS text) COLLATE \"C\""),
            Dialect::Spark => format!("CAST({column} AS STRING)"),
            Dialect::BigQuery => format!("COLLATE(CAST({column} AS STRING), '')"),
            Dialect::Snowflake => format!("COLLATE(CAST({column} AS VARCHAR), '')"),
            Dialect::Ansi => column.into(),
        }
    }

    /// What is [`written`](Self::written), trimmed; of a column of the type `kind`. A whole floating-point number is
    /// written without a point, as in a file.
    pub(super) fn trimmed(self, kind: &str, written: &str) -> Result<String> {
        let spaces = self.literal(&format!(" {SPACES}"))?;
        let trimmed = match self {
            Dialect::Ansi => return Ok(format!("TRIM(BOTH ' ' FROM {written})")),
            Dialect::Spark => format!("TRIM(BOTH {spaces} FROM {written})"),
            Dialect::Postgres | Dialect::DataFusion => format!("BTRIM({written}, {spaces})"),
            _ => format!("TRIM({written}, {spaces})"),
        };
        let Some(float) = self.is_float(kind) else { return Ok(trimmed) };
        // To look for two dozen characters is slow: most texts begin and end with printable ASCII, and are seen to.
        let plain = ["LEFT", "RIGHT"].map(|end| format!("{end}({written}, 1) BETWEEN '!' AND '~'"));
        let whole = format!(
            "WHEN LOWER({written}) = 'nan' THEN 'NaN' WHEN {written} LIKE '%.0' THEN LEFT({written}, LENGTH({written}) - 2)"
        );
        Ok(format!(
            "CASE WHEN {float} THEN CASE {whole} ELSE {written} END WHEN {} THEN {written} ELSE {trimmed} END",
            plain.join(" AND ")
        ))
    }

    /// Whether what is [`written`](Self::written), of the type `kind`, is not what a file of it would hold.
    pub(super) fn is_unreadable(self, kind: &str, written: &str) -> Result<String> {
        let Some(float) = self.is_float(kind) else {
            // The standard trims one character at a time: other white space has to be refused.
            let (spaces, trimmed) = (self.literal(SPACES)?, self.trimmed(kind, written)?);
            let ends = ["1".into(), format!("CHAR_LENGTH({trimmed})")];
            let ends = ends.map(|at| format!("POSITION(SUBSTRING({trimmed} FROM {at} FOR 1) IN {spaces}) > 0"));
            return Ok(format!("{trimmed} <> '' AND ({})", ends.join(" OR ")));
        };
        let date = format!("{} AND {}", self.kinds(kind, "DATE"), self.matches(written, DATE));
        let decimal = format!("{} AND {}", self.decimal(kind), self.matches(written, PLAIN));
        let whole = format!("{float} AND ({} OR LOWER({written}) = 'nan')", self.matches(written, WHOLE));
        let plain = match self {
            Dialect::DuckDb => format!(
                "{kind} IN ('VARCHAR', 'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', \
                 'USMALLINT', 'UINTEGER', 'UBIGINT') OR {kind} LIKE 'ENUM(%'"
            ),
            Dialect::Spark => format!(
                "{kind} IN ('string', 'boolean', 'tinyint', 'smallint', 'int', 'bigint') OR {kind} LIKE 'varchar(%' OR \
                 {kind} LIKE 'char(%'"
            ),
            Dialect::Postgres => format!(
                "{kind} IN ('text', 'character varying', 'character', 'boolean', 'smallint', 'integer', 'bigint')"
            ),
            Dialect::Snowflake => format!("{kind} IN ('VARCHAR', 'BOOLEAN', 'INTEGER')"),
            Dialect::DataFusion => format!(
                "{kind} IN ('Utf8', 'LargeUtf8', 'Utf8View', 'Boolean', 'Int8', 'Int16', 'Int32', 'Int64', 'UInt8', 'UInt16', \
                 'UInt32', 'UInt64') OR {kind} LIKE 'Dictionary(%Utf8%'"
            ),
            // What it writes for numbers without a point, true and false, and texts, which it quotes. It drops the last
            // zeros of decimals, which files keep.
            _ => {
                let plain = format!("REGEXP_CONTAINS({kind}, r'^(-?[0-9]+$|true$|false$|[\\x22\\x27])')");
                return Ok(format!("NOT ({plain} OR ({date}) OR ({whole}))"));
            }
        };
        Ok(format!("NOT ({plain} OR ({date}) OR ({decimal}) OR ({whole}))"))
    }

    fn kinds(self, kind: &str, wanted: &str) -> String {
        match self {
            Dialect::BigQuery => format!("STARTS_WITH({kind}, '{wanted} ')"),
            Dialect::DuckDb | Dialect::Snowflake => format!("{kind} = '{wanted}'"),
            Dialect::DataFusion => format!("{kind} = 'Date32'"),
            Dialect::Postgres => format!("{kind} = CAST('{}' AS regtype)", wanted.to_lowercase()),
            _ => format!("{kind} = '{}'", wanted.to_lowercase()),
        }
    }

    fn decimal(self, kind: &str) -> String {
        match self {
            Dialect::DuckDb => format!("{kind} LIKE 'DECIMAL(%'"),
            Dialect::Spark => format!("{kind} LIKE 'decimal(%'"),
            Dialect::Postgres => format!("{kind} = CAST('numeric' AS regtype)"),
            Dialect::DataFusion => format!("{kind} LIKE 'Decimal%'"),
            _ => format!("{kind} = 'DECIMAL'"),
        }
    }

    /// A column as a number, where it is one.
    fn converted(self, column: &str) -> String {
        let number = format!("CAST({column} AS {})", self.double());
        if matches!(self, Dialect::DuckDb | Dialect::DataFusion) { format!("TRY_{number}") } else { number }
    }

    /// A column of the type `kind` as a number, NULL where its trimmed `text` is none.
    pub(super) fn parsed(self, column: &str, kind: &str, text: &str) -> String {
        // What the engine has as a number is converted, as in a file: half the width is widened, not read anew from digits.
        let number = self.converted(column);
        let (kinds, number, read) = match self {
            Dialect::Ansi => return number,
            Dialect::BigQuery => {
                let read = format!("SAFE_CAST({column} AS {})", self.double());
                return format!("CASE WHEN {} THEN {read} END", self.matches(text, NUMBER));
            }
            Dialect::Snowflake => {
                ("'DOUBLE'".into(), format!("AS_DOUBLE(TO_VARIANT({column}))"), format!("TRY_TO_DOUBLE({text})"))
            }
            _ => (self.numbers().map_or(String::new(), |kinds| kinds.join(", ")), number, self.converted(text)),
        };
        format!("CASE WHEN {kind} IN ({kinds}) THEN {number} WHEN {} THEN {read} END", self.matches(text, NUMBER))
    }

    /// Whether columns of numbers may be columns of text.
    pub(super) fn reads_numbers_from_text(self) -> bool {
        self != Dialect::Ansi
    }
}

/// With backslashes before backslashes, the quote and what is invisible.
fn escaped(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || (c.is_whitespace() && c != ' ') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
