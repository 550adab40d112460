//! Rows of files that satisfy a filter, counted as if no others were there; and nothing left out in silence.
#![cfg(all(feature = "parquet", feature = "csv"))]

mod source_support;

use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::*;
use arrow_ipc::writer::StreamWriter;
use evenhand::data::source::{Source, SourceTally};
use evenhand::data::{Columns, Filter, Top};
use evenhand::tally::Limits;
use evenhand::{Error, Result};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;
use source_support::Files;

/// A row, with every type that a filter can look at.
#[derive(Debug, Clone)]
struct Person {
    sex: Option<&'static str>,
    age: Option<i32>,
    income: Option<f64>,
    /// A day of February 2024.
    day: Option<u8>,
    country: Option<&'static str>,
    consent: Option<bool>,
    offer: bool,
    score: f64,
}

const SEXES: [Option<&str>; 3] = [Some("f"), Some("m"), None];
const COUNTRIES: [Option<&str>; 5] =
    [Some("DE"), Some("AT"), Some("it's, \"far\""), Some("a country of a long name"), None];

fn person() -> impl Strategy<Value = Person> {
    let who = (0..3usize, prop::option::weighted(0.9, 0..90), prop::option::weighted(0.9, 0..40u32));
    let what = (prop::option::weighted(0.9, 1..29u8), 0..5usize, prop::option::weighted(0.9, any::<bool>()));
    (who, what, any::<bool>(), 0..9u8).prop_map(|((sex, age, income), (day, country, consent), offer, score)| Person {
        sex: SEXES[sex],
        age,
        income: income.map(|i| f64::from(i) * 250.5),
        day,
        country: COUNTRIES[country],
        consent,
        offer,
        score: f64::from(score) / 8.0,
    })
}

/// A condition as text, and what it means, told anew.
#[derive(Debug, Clone)]
enum Asked {
    Age(&'static str, i32),
    Income(&'static str, f64),
    Day(&'static str, u8),
    Countries(bool, Vec<usize>),
    Sex(bool),
    Consent(bool),
    Missing(&'static str, bool),
}

const SIGNS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];

fn compares<T: PartialOrd>(value: T, sign: &str, bound: T) -> bool {
    match sign {
        "=" => value == bound,
        "!=" => value != bound,
        "<" => value < bound,
        "<=" => value <= bound,
        ">" => value > bound,
        _ => value >= bound,
    }
}

impl Asked {
    fn text(&self) -> String {
        let not = |not: bool| if not { "not " } else { "" };
        match self {
            Asked::Age(sign, bound) => format!("age {sign} {bound}"),
            Asked::Income(sign, bound) => format!("income {sign} {bound}"),
            Asked::Day(sign, bound) => format!("day {sign} '2024-02-{bound:02}'"),
            Asked::Countries(out, which) => {
                let names = which.iter().map(|at| format!("'{}'", COUNTRIES[*at].unwrap().replace('\'', "''")));
                format!("country {}in ({})", not(*out), names.collect::<Vec<_>>().join(", "))
            }
            Asked::Sex(out) => format!("sex {} 'f'", if *out { "!=" } else { "=" }),
            Asked::Consent(value) => format!("consent = '{value}'"),
            Asked::Missing(column, out) => format!("{column} is {}missing", not(*out)),
        }
    }

    fn holds(&self, p: &Person) -> bool {
        match self {
            Asked::Age(sign, bound) => p.age.is_some_and(|age| compares(age, sign, *bound)),
            Asked::Income(sign, bound) => p.income.is_some_and(|income| compares(income, sign, *bound)),
            Asked::Day(sign, bound) => p.day.is_some_and(|day| compares(day, sign, *bound)),
            Asked::Countries(out, which) => {
                p.country.is_some_and(|country| which.iter().any(|at| COUNTRIES[*at] == Some(country)) != *out)
            }
            Asked::Sex(out) => p.sex.is_some_and(|sex| (sex == "f") != *out),
            Asked::Consent(value) => p.consent == Some(*value),
            Asked::Missing(column, out) => {
                let missing = match *column {
                    "age" => p.age.is_none(),
                    "income" => p.income.is_none(),
                    "day" => p.day.is_none(),
                    _ => p.country.is_none(),
                };
                missing != *out
            }
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let sign = || (0..6usize).prop_map(|at| SIGNS[at]);
    let column = (0..4usize).prop_map(|at| ["age", "income", "day", "country"][at]);
    prop_oneof![
        (sign(), -5..95i32).prop_map(|(s, b)| Asked::Age(s, b)),
        (sign(), 0..40u32).prop_map(|(s, b)| Asked::Income(s, f64::from(b) * 250.5)),
        (2..6usize, 1..29u8).prop_map(|(s, b)| Asked::Day(SIGNS[s], b)),
        (any::<bool>(), prop::collection::vec(0..4usize, 1..4)).prop_map(|(out, which)| Asked::Countries(out, which)),
        any::<bool>().prop_map(Asked::Sex),
        any::<bool>().prop_map(Asked::Consent),
        (column, any::<bool>()).prop_map(|(column, out)| Asked::Missing(column, out)),
    ]
}

fn batch(people: &[Person]) -> RecordBatch {
    // Days since 1970.
    let day = |p: &Person| p.day.map(|day| 19_753 + i32::from(day));
    let columns: [(&str, ArrayRef); 8] = [
        ("sex", Arc::new(people.iter().map(|p| p.sex).collect::<StringArray>())),
        ("age", Arc::new(people.iter().map(|p| p.age).collect::<Int32Array>())),
        ("income", Arc::new(people.iter().map(|p| p.income).collect::<Float64Array>())),
        ("day", Arc::new(people.iter().map(day).collect::<Date32Array>())),
        ("country", Arc::new(people.iter().map(|p| p.country).collect::<StringArray>())),
        ("consent", Arc::new(people.iter().map(|p| p.consent).collect::<BooleanArray>())),
        ("offer", Arc::new(people.iter().map(|p| Some(p.offer)).collect::<BooleanArray>())),
        ("score", Arc::new(people.iter().map(|p| Some(p.score)).collect::<Float64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

fn parquet(people: &[Person], properties: WriterProperties) -> Vec<u8> {
    let batch = batch(people);
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn ipc(people: &[Person]) -> Vec<u8> {
    let batch = batch(people);
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn csv(people: &[Person]) -> String {
    let mut text = String::from("sex,age,income,day,country,consent,offer,score\n");
    for p in people {
        let age = p.age.map_or(String::new(), |v| v.to_string());
        let income = p.income.map_or("NA".into(), |v| v.to_string());
        let day = p.day.map_or(String::new(), |v| format!(" 2024-02-{v:02}"));
        let country = p.country.unwrap_or("").replace('"', "\"\"");
        let consent = p.consent.map_or("null".into(), |v| v.to_string());
        let (sex, offer) = (p.sex.unwrap_or(""), p.offer);
        writeln!(text, "{sex},{age},{income},{day},\"{country}\",{consent},{offer},{}", p.score).unwrap();
    }
    text
}

fn columns() -> Columns {
    let mut columns = Columns::new()
        .attribute("sex".parse().unwrap())
        .attribute("age:quantiles:3".parse().unwrap())
        .stratum("country".parse().unwrap())
        .decision("offer")
        .score("score");
    columns.top = vec![Top::Share(0.3)];
    columns
}

fn read(source: Source, columns: &Columns) -> Result<SourceTally> {
    source.tally(columns, &[], Limits::default())
}

fn open(path: &PathBuf) -> Source {
    Source::open(&[path]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_filtered_by_hand_and_by_the_reader_count_the_same(
        people in prop::collection::vec(person(), 1..120),
        asked in prop::collection::vec(asked(), 1..4),
        chunk in 1..50usize,
        group in 1..60usize,
    ) {
        let kept: Vec<Person> = people.iter().filter(|p| asked.iter().all(|a| a.holds(p))).cloned().collect();
        let text = asked.iter().map(Asked::text).collect::<Vec<_>>().join(" and ");
        let filtered = columns().filter(text.parse().unwrap());
        let files = Files::new();
        let twin = read(open(&files.put("twin.csv", csv(&kept))), &columns());
        let groups = || WriterProperties::builder().set_max_row_group_row_count(Some(group));
        for (name, bytes) in [
            ("a.csv", csv(&people).into_bytes()),
            ("a.arrow", ipc(&people)),
            ("a.parquet", parquet(&people, groups().build())),
            ("b.parquet", parquet(&people, groups().set_dictionary_enabled(false).build())),
        ] {
            let source = open(&files.put(name, &bytes)).chunk_rows(chunk).threads(Some(1 + chunk % 2));
            match (read(source, &filtered), &twin) {
                (Ok(found), Ok(twin)) => {
                    prop_assert_eq!(&found.tally, &twin.tally, "{}: {}", name, &text);
                    prop_assert_eq!(found.files[0].rows, people.len() as u64);
                    let said = found.filtered.unwrap();
                    prop_assert_eq!(said.rows_left_out, Some((people.len() - kept.len()) as u64));
                    prop_assert_eq!(said.condition.parse::<Filter>().unwrap().to_string(), said.condition);
                }
                (Err(found), Err(_)) => {
                    // Nobody is left, or nobody whose age would make quantiles.
                    prop_assert!(kept.is_empty() || kept.iter().all(|p| p.age.is_none()), "{}: {}", text, found);
                }
                (found, _) => prop_assert!(false, "{name}: {text}: {found:?}, of {} rows", kept.len()),
            }
        }
    }
}

fn people(n: usize) -> Vec<Person> {
    let person = |i: usize| Person {
        sex: SEXES[i * i % 7 % 3],
        age: Some(i as i32),
        income: Some(i as f64),
        day: Some(1 + (i * 28 / n) as u8),
        country: [Some("AT"), Some("DE"), Some("FR")][i * 3 / n],
        consent: Some(i.is_multiple_of(2)),
        offer: i.is_multiple_of(3),
        score: (i % 8) as f64 / 8.0,
    };
    (0..n).map(person).collect()
}

fn simple(filter: &str) -> Columns {
    Columns::new().attribute("sex".parse().unwrap()).decision("offer").filter(filter.parse().unwrap())
}

fn rows(source: Source, filter: &str) -> Result<(u64, Option<u64>)> {
    let found = read(source, &simple(filter))?;
    Ok((found.tally.rows(), found.filtered.unwrap().rows_left_out))
}

#[test]
fn row_groups_that_cannot_match_are_not_decoded() {
    let people = people(300);
    let whole = parquet(&people, WriterProperties::builder().set_max_row_group_row_count(Some(100)).build());
    let files = Files::new();
    let file = File::open(files.put("whole.parquet", &whole)).unwrap();
    let meta = SerializedFileReader::new(file).unwrap().metadata().clone();
    for group in 0..3 {
        // Every byte of the pages of one row group is damaged.
        let mut damaged = whole.clone();
        for column in meta.row_group(group).columns() {
            let (start, length) = column.byte_range();
            damaged[start as usize..(start + length) as usize].fill(0xa5);
        }
        let path = files.put(&format!("{group}.parquet"), &damaged);
        let (all, in_it) = (open(&path), format!("{}", group * 100 + 50));
        let error = read(all, &simple("sex is not missing")).unwrap_err().to_string();
        assert!(error.contains(&format!("row group {group}")), "{error}");
        assert!(rows(open(&path), &format!("age = {in_it}")).is_err());
        let countries = ["AT", "DE", "FR"];
        let others: Vec<&str> = countries.iter().filter(|c| **c != countries[group]).copied().collect();
        let [a, b] = others[..] else { panic!() };
        let (sign, day) = [(">", 20), ("<", 9), ("<", 18)][group];
        let of_days = people.iter().filter(|p| compares(p.day, sign, Some(day))).count() as u64;
        for (filter, kept) in [
            (format!("country in ('{a}', '{b}')"), 200),
            (format!("country = '{a}'"), 100),
            (format!("country != '{}'", countries[group]), 200),
            (format!("age = {}", (group * 100 + 150) % 300), 1),
            (format!("income = {}", (group * 100 + 150) % 300), 1),
            (format!("day {sign} '2024-02-{day:02}'"), of_days),
        ] {
            assert_eq!(rows(open(&path), &filter).unwrap(), (kept, Some(300 - kept)), "{filter}");
        }
    }
}

#[test]
fn many_files_are_filtered_as_one_batch() {
    let people = people(90);
    let files = Files::new();
    let paths = [
        files.put("a.csv", csv(&people[..30])),
        files.put("b.parquet", parquet(&people[30..60], WriterProperties::default())),
        files.put("c.arrow", ipc(&people[60..])),
    ];
    let found = read(Source::open(&paths).unwrap(), &simple("age >= 20 and age < 70 and country != 'FR'")).unwrap();
    assert_eq!((found.tally.rows(), found.filtered.unwrap().rows_left_out), (40, Some(50)));
    assert_eq!(found.files.iter().map(|f| f.rows).collect::<Vec<_>>(), [30, 30, 30]);
    let kept = Source::open(&paths).unwrap().rows(&simple("age < 45")).unwrap();
    assert_eq!(kept.len(), 45);
}

#[test]
fn a_value_that_cannot_be_compared_is_told_with_its_row() {
    let files = Files::new();
    let mut people = people(40);
    let text = csv(&people).replace("\nf,37,", "\nf,about 37,").replace("\nm,37,", "\nm,about 37,");
    let text = if text.contains("about") { text } else { text.replace("\n,37,", "\n,about 37,") };
    let path = files.put("in.csv", &text);
    let error = |path: &PathBuf, filter: &str| rows(open(path), filter).unwrap_err().to_string();
    let said = error(&path, "age > 5");
    assert!(
        said.contains("row 38") && said.contains("`age`") && said.contains("about 37") && said.contains("quotes"),
        "{said}"
    );
    assert_eq!(rows(open(&path), "age = 'about 37'").unwrap().0, 1);
    let said = error(&path, "day > '2024-02-01' and country > '2024-01-01'");
    assert!(said.contains("row 1") && said.contains("`country`") && said.contains("2024-01-31"), "{said}");
    // Of several faults that of the first row.
    let said = error(&path, "age > 5 and country = 7");
    assert!(said.contains("row 1") && said.contains("`country`"), "{said}");

    // A row that is wrong in another column is told by its place among all rows of the file; where it is left out, it does
    // not matter.
    people[30].score = f64::NAN;
    for (name, bytes) in [
        ("n.csv", csv(&people).into_bytes()),
        ("n.parquet", parquet(&people, WriterProperties::default())),
        ("n.arrow", ipc(&people)),
    ] {
        let path = files.put(name, bytes);
        let scored = |filter: &str| read(open(&path).chunk_rows(7), &simple(filter).score("score"));
        let said = scored("age > 5 and age != 10").unwrap_err().to_string();
        assert!(said.contains("row 31"), "{said}");
        assert_eq!(scored("age != 30").unwrap().tally.rows(), 39);
        let strings = error(&path, "country < 5");
        assert!(strings.contains("row 1") && strings.contains("`country`") && strings.contains("number"), "{strings}");
        let numbers = error(&path, "age >= '2024-01-01'");
        assert!(numbers.contains("`age`") && numbers.contains("date"), "{numbers}");
    }
}

#[test]
fn what_cannot_be_asked_is_told() {
    let files = Files::new();
    let path = files.put("in.csv", csv(&people(30)));
    let error = |filter: &str| rows(open(&path), filter).unwrap_err();
    let said = error("contry = 'DE'").to_string();
    assert!(said.contains("`contry`") && said.contains("did you mean `country`"), "{said}");
    assert!(matches!(error("age > 1000"), Error::Nothing { problem: "no row satisfies the filter", .. }));
    for filter in ["country = ''", "country in ('DE', 'NA')", "country != ' '"] {
        let said = error(filter).to_string();
        assert!(said.contains("is not missing") && said.contains("`country`"), "{filter}: {said}");
    }
    let mut columns = simple("age != -999");
    columns.missing.push("-999".into());
    assert!(read(open(&path), &columns).unwrap_err().to_string().contains("-999"));
}

#[test]
fn missing_values_satisfy_nothing_but_being_missing() {
    let files = Files::new();
    let text = "sex,offer,n,t\nf,1,1, x \nm,0,?,NA\nf,1,,\"\"\nm,0,-7,\"a\nb\"\nf,1,1.0,X\n";
    let path = files.put("in.csv", text);
    let count = |filter: &str| {
        let mut columns = simple(filter);
        columns.missing.extend(["?".to_string(), "-7".to_string()]);
        read(open(&path), &columns).map_or(0, |found| found.tally.rows())
    };
    for (filter, kept) in [
        ("n = 1", 2),
        ("n != 1", 0),
        ("n < 100", 2),
        ("n is missing", 3),
        ("n is not null", 2),
        ("n = '1'", 1),
        ("n in (1, 2)", 2),
        ("n not in (2)", 2),
        ("t = 'x'", 1),
        ("t != 'x'", 2),
        ("t is null and n is missing", 2),
        ("t = 'a\nb'", 1),
    ] {
        assert_eq!(count(filter), kept, "{filter}");
    }
    let nan = Float64Array::from(vec![Some(f64::NAN), None, Some(2.0), Some(-0.0)]);
    let offer = BooleanArray::from(vec![true, false, true, false]);
    let sex = StringArray::from(vec!["f", "f", "m", "m"]);
    let batch = RecordBatch::try_from_iter([
        ("sex", Arc::new(sex) as ArrayRef),
        ("offer", Arc::new(offer)),
        ("n", Arc::new(nan)),
    ])
    .unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let path = files.put("nan.parquet", writer.into_inner().unwrap());
    for (filter, kept) in [("n is missing", 2), ("n >= 0", 2), ("n = 0", 1), ("n != 0", 1), ("n is not missing", 2)] {
        assert_eq!(rows(open(&path), filter).unwrap().0, kept, "{filter}");
    }
}
