//! The statement for each dialect.

use std::iter::Peekable;
use std::str::Chars;

use evenhand::Error;
use evenhand::audit::AuditPlan;
use evenhand::data::{Columns, SegmentColumns, Top, default_missing};
use evenhand::engine::{self, Dialect, TableName};

const ALL: [Dialect; 7] = [
    Dialect::DuckDb,
    Dialect::Spark,
    Dialect::Postgres,
    Dialect::BigQuery,
    Dialect::Snowflake,
    Dialect::DataFusion,
    Dialect::Ansi,
];

/// Something of everything.
fn rich() -> Columns {
    let mut columns = Columns::new()
        .attribute("sex:women=f+F".parse().unwrap())
        .attribute("age:<=25,26-40.5,>1e20".parse().unwrap())
        .stratum("region".parse().unwrap())
        .label("outcome")
        .favorable("outcome", "it's good")
        .decision("targeted")
        .score("propensity")
        .segments(SegmentColumns { class: Some("true tier".into()), ..SegmentColumns::plain("tier") })
        .weight("w");
    columns.missing.push("-1".into());
    columns
}

fn sql(columns: Columns, table: &str, dialect: Dialect) -> evenhand::Result<String> {
    engine::sql(&AuditPlan::new().columns(columns), &TableName::new([table]), dialect)
}

#[test]
fn every_dialect_says_it_all() {
    for dialect in ALL {
        insta::assert_snapshot!(format!("statement_{dialect}"), sql(rich(), "customers", dialect).unwrap());
    }
}

/// Moves behind the end of what is quoted by `quote`; whether in it backslashes escape, and doubled quotes stand for one.
fn skip(chars: &mut Peekable<Chars>, quote: char, escapes: bool, doubles: bool) {
    loop {
        match chars.next() {
            Some('\\') if escapes => drop(chars.next()),
            Some(end) if end == quote && doubles && chars.peek() == Some(&quote) => drop(chars.next()),
            Some(end) if end == quote => return,
            Some(_) => {}
            None => panic!("a quote is left open"),
        }
    }
}

/// What of a statement is outside of quotes.
fn bare(statement: &str, dialect: Dialect) -> String {
    let (mut out, mut chars, mut last) = (String::new(), statement.chars().peekable(), ' ');
    while let Some(c) = chars.next() {
        let quote = matches!(c, '\'' | '"' | '`');
        let escapes = c == '\'' && (matches!(dialect, Dialect::BigQuery | Dialect::Snowflake) || last == 'E')
            || c == '`' && dialect == Dialect::BigQuery;
        out.push(if quote { ' ' } else { c });
        if quote {
            skip(&mut chars, c, escapes, !escapes || last == 'E');
        }
        last = c;
    }
    out
}

#[test]
fn nothing_gets_out_of_its_quotes() {
    let evil = [
        r#"a"; DROP TABLE evil; --"#,
        "a`; DROP TABLE evil; --",
        "a'; DROP TABLE evil; --",
        r"a\'; DROP TABLE evil; --",
        r"a\\'; DROP TABLE evil; --",
        r#"a\"; DROP TABLE evil; --"#,
        r"a\`; DROP TABLE evil; --",
        "a\n'; DROP TABLE evil; --",
        "evil\\",
        "/* evil",
        "$$evil$$",
    ];
    for name in evil {
        let mut columns = Columns::new()
            .attribute("x".parse().unwrap())
            .label(name)
            .decision("d")
            .favorable(name, name)
            .score(format!("{name} score"))
            .weight(format!("{name} weight"));
        columns.attributes[0].name = format!("{name} level");
        columns.attributes[0].rename = [(name.to_string(), format!("{name} new"))].into();
        columns.missing.push(name.into());
        for dialect in ALL {
            let statement = sql(columns.clone(), name, dialect).unwrap();
            let bare = bare(&statement, dialect);
            let quiet = !bare.contains("evil") && !bare.contains("DROP") && !bare.contains(';') && !bare.contains("--");
            assert!(quiet, "{dialect}: {name:?} in {statement}");
        }
    }
}

#[test]
fn what_cannot_be_said_is_refused() {
    let mut silent = Columns::new().attribute("sex".parse().unwrap()).decision("d");
    silent.missing = default_missing().into_iter().filter(|m| !m.is_empty()).collect();
    let soft = SegmentColumns { parts: [("gold".into(), "p".into())].into(), ..SegmentColumns::plain("mix") };
    let mut banded = Columns::new().attribute("age:0-9,10-20".parse().unwrap()).decision("d");
    banded.missing.push("0-9".into());
    let quantiles = Columns::new().attribute("age:quantiles:4".parse().unwrap()).decision("d");
    let softly = Columns::new().attribute("sex".parse().unwrap()).segments(soft);
    for (columns, said) in [
        (quantiles, "quantiles need all rows"),
        (softly, "shares of rows"),
        (silent, "the empty text"),
        (banded, "do not mean missing"),
    ] {
        match sql(columns, "t", Dialect::DuckDb) {
            Err(Error::BadSetting { expected, .. }) => assert!(expected.contains(said), "{expected}"),
            other => panic!("{other:?}"),
        }
    }
    let zero = Columns::new().attribute("a\0b".parse().unwrap()).decision("d");
    assert!(ALL.iter().all(|dialect| sql(zero.clone(), "t", *dialect).is_err()));
    let variable = Columns::new().attribute("${x}".parse().unwrap()).decision("d");
    assert!(sql(variable.clone(), "t", Dialect::Spark).is_err() && sql(variable, "t", Dialect::Postgres).is_ok());
    assert!(matches!(
        sql(Columns::new().attribute("sex".parse().unwrap()), "t", Dialect::Ansi),
        Err(Error::Nothing { .. })
    ));
}

#[test]
fn thresholds_and_selections_are_left_to_the_reading() {
    let columns = Columns::new().attribute("sex".parse().unwrap()).score("s");
    let cut = Columns { thresholds: vec![0.5, 0.7], top: vec![Top::Count(10)], ..columns.clone() };
    assert_eq!(sql(columns, "t", Dialect::DuckDb).unwrap(), sql(cut, "t", Dialect::DuckDb).unwrap());
}

#[test]
fn tables_have_parts() {
    let name = |text: &str| text.parse::<TableName>();
    assert_eq!(name(r#"a.b."c.""d""""#).unwrap_or_else(|e| panic!("{e}")), TableName::new(["a", "b", "c.\"d\""]));
    for bad in ["", ".", "a.", "a..b", "\"\"", "a\"b", "\"a\"b", "\"a"] {
        assert!(name(bad).is_err(), "{bad}");
    }
    for dialect in ALL {
        assert_eq!(dialect.to_string().parse::<Dialect>().unwrap(), dialect);
    }
    assert!("sqlite".parse::<Dialect>().is_err());
}
