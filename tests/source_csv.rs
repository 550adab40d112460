//! Text files read into tallies: what is counted, and what every bad input says.
#![cfg(feature = "csv")]

mod source_support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use evenhand::data::source::{ColumnKind, Format, Source, SourceTally};
use evenhand::data::{Bands, Batch, Binary, Categorical, Columns, LevelColumn, Model, Top};
use evenhand::tally::{DecisionRule, Limits, Tally};
use evenhand::{Error, Result};
use flate2::{Compression, write::GzEncoder};
use source_support::Files;

fn level(text: &str) -> LevelColumn {
    text.parse().unwrap()
}

fn columns() -> Columns {
    Columns::new().attribute(level("sex")).label("paid").decision("offer")
}

fn read(source: Source, columns: &Columns) -> Result<SourceTally> {
    source.tally(columns, &[], Limits::default())
}

fn tally_of(text: impl AsRef<[u8]>, columns: &Columns) -> Result<Tally> {
    let files = Files::new();
    Ok(read(Source::open(&[files.put("in.csv", text)])?, columns)?.tally)
}

/// The message of the failure to read a text, its path shortened to the file's name.
fn failure(text: impl AsRef<[u8]>, columns: &Columns) -> String {
    let files = Files::new();
    let path = files.put("in.csv", text);
    let error = Source::open(&[&path]).and_then(|s| read(s, columns)).expect_err("this should fail");
    error.to_string().replace(&*path.parent().unwrap().to_string_lossy(), "")
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(text).unwrap();
    gz.finish().unwrap()
}

#[cfg(feature = "zstd")]
fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

/// `n` rows with every kind of column, and the same as a batch in memory.
fn people(n: usize) -> (String, Tally) {
    let sexes = [Some("f"), Some("m"), None, Some("x, \"y\"")];
    let sex: Vec<Option<&str>> = (0..n).map(|i| sexes[i * i % 7 % 4]).collect();
    let age: Vec<f64> = (0..n).map(|i| if i % 11 == 3 { f64::NAN } else { (i * 37 % 80) as f64 }).collect();
    let region: Vec<String> = (0..n).map(|i| format!("r{}", i * i % 5)).collect();
    let paid: Vec<Option<bool>> = (0..n).map(|i| (i % 13 != 5).then_some(i * 7 % 3 == 0)).collect();
    let offer: Vec<Option<bool>> = (0..n).map(|i| (i % 17 != 2).then_some(i * 5 % 4 == 1)).collect();
    let score: Vec<Option<f64>> = (0..n).map(|i| (i % 19 != 4).then_some((i * 31 % 64) as f64 / 64.0)).collect();
    let weight: Vec<f64> = (0..n).map(|i| (i % 9) as f64 / 4.0).collect();
    let mut text = String::from("sex,age,region,paid,offer,score,weight\n");
    for i in 0..n {
        let sex =
            sex[i].map_or("NA".into(), |s| if s.contains(',') { "\"x, \"\"y\"\"\"".into() } else { s.to_string() });
        let age = if age[i].is_nan() { String::new() } else { age[i].to_string() };
        let paid = paid[i].map_or("", |p| if p { "yes" } else { "no" });
        let offer = offer[i].map_or("null".into(), |o| u8::from(o).to_string());
        let score = score[i].map_or(String::new(), |s| s.to_string());
        writeln!(text, "{sex},{age},{},{paid},{offer},{score},{}", region[i], weight[i]).unwrap();
    }
    let bands: Bands = "<18,18-64,>64".parse().unwrap();
    let batch = Batch::builder()
        .attribute(Categorical::from_options("sex", sex))
        .attribute(Categorical::from_numbers("age", &age, &bands).unwrap())
        .stratum(Categorical::from_values("region", region))
        .label(Binary::from(paid.as_slice()))
        .model(Model::decision("offer", Binary::from(offer.as_slice())).with_score(&score).score_named("score"))
        .model(Model::threshold("score >= 0.5", &score, 0.5).score_named("score"))
        .model(Model::top("score top 33.5%", &score, Top::Share(0.335)).score_named("score"))
        .weight(weight)
        .build()
        .unwrap();
    (text, Tally::of(&batch).unwrap())
}

fn people_columns() -> Columns {
    let mut columns =
        columns().attribute(level("age:<18,18-64,>64")).stratum(level("region")).score("score").weight("weight");
    columns.thresholds = vec![0.5];
    columns.top = vec![Top::Share(0.335)];
    columns
}

#[test]
fn a_file_counts_as_the_same_rows_in_memory() {
    let (text, expected) = people(1000);
    assert_eq!(tally_of(&text, &people_columns()).unwrap(), expected);
    assert!(matches!(expected.schema().models[2].rule, DecisionRule::Top(cut) if cut.edge < 1.0 && cut.tied > 1));
}

#[test]
fn chunks_threads_gzip_line_ends_and_marks_change_nothing() {
    let (text, expected) = people(500);
    let files = Files::new();
    let windows = text.replace('\n', "\r\n");
    let mut two_members = gzip(&text.as_bytes()[..3000]);
    two_members.extend(gzip(&text.as_bytes()[3000..]));
    for (name, bytes) in [
        ("plain", text.clone().into_bytes()),
        ("windows", windows.into_bytes()),
        ("mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("no end of line", text.trim_end().into()),
        ("blank lines", text.replace('\n', "\n\n").into_bytes()),
        ("gzip", gzip(text.as_bytes())),
        ("gzip twice", two_members),
        #[cfg(feature = "zstd")]
        ("zstd", zstd(text.as_bytes())),
        #[cfg(feature = "zstd")]
        ("zstd twice", [zstd(&text.as_bytes()[..3000]), zstd(&text.as_bytes()[3000..])].concat()),
        (
            "semicolons",
            text.replace("\"x, \"\"y\"\"\"", "X").replace(',', ";").replace('X', "\"x, \"\"y\"\"\"").into_bytes(),
        ),
    ] {
        let path = files.put(name, bytes);
        for chunk in [1, 7, 499, 500, 100_000] {
            let source = Source::open(&[&path]).unwrap().chunk_rows(chunk).threads(Some(1 + chunk % 3));
            let found = read(source, &people_columns()).unwrap();
            assert_eq!(found.tally, expected, "{name}, chunks of {chunk}");
            assert_eq!(found.files[0].rows, 500);
        }
    }
}

#[test]
fn several_files_are_one_batch_and_columns_may_be_in_any_order() {
    let (text, expected) = people(300);
    let files = Files::new();
    let lines: Vec<&str> = text.lines().collect();
    let part = |from: usize, to: usize| format!("{}\n{}\n", lines[0], lines[from..to].join("\n"));
    let turned: String = part(201, 301)
        .lines()
        .map(|line| {
            let (rest, weight) = line.rsplit_once(',').unwrap();
            format!("{weight},{rest}\n")
        })
        .collect();
    let paths = [
        files.put("a.csv", part(1, 90)),
        files.put("b.gz", gzip(part(90, 201).as_bytes())),
        files.put("c.csv", turned),
    ];
    for threads in [1, 2, 5] {
        let found = read(Source::open(&paths).unwrap().threads(Some(threads)), &people_columns()).unwrap();
        assert_eq!(found.tally, expected);
        assert_eq!(found.files.iter().map(|f| f.rows).collect::<Vec<_>>(), [89, 111, 100]);
        assert_eq!(found.files.iter().map(|f| f.format).collect::<Vec<_>>(), [Format::Csv, Format::CsvGz, Format::Csv]);
        for (file, path) in found.files.iter().zip(&paths) {
            let bytes = std::fs::read(path).unwrap();
            assert_eq!((&file.path, file.bytes), (path, bytes.len() as u64));
            assert_eq!(file.blake3, blake3::hash(&bytes).to_hex().to_string());
        }
        assert_eq!(found.values["paid"], ["no", "yes"]);
    }
}

#[test]
fn quoted_line_ends_belong_to_the_field() {
    let text = "sex,paid,offer\n\"f\n(self-described)\",1,0\nm,1,1\n";
    let tally = tally_of(text, &columns()).unwrap();
    assert_eq!(tally.schema().attributes[0].levels, ["f\n(self-described)", "m"]);
    assert_eq!(tally.rows(), 2);
}

#[test]
fn fields_are_trimmed_renamed_and_missing_in_this_order() {
    let text = "sex,paid,offer\n f ,1,0\nfemale,1,0\nM,1,1\nNA,1,1\nx,1,1\n?,1,1\n";
    let mut columns = columns();
    columns.attributes = vec![level("sex:F=f+female,no answer=NA,NA=x")];
    columns.missing.push("?".into());
    let tally = tally_of(text, &columns).unwrap();
    // NA is given a name of its own; x is named as a missing text and so is missing, like `?`.
    assert_eq!(tally.schema().attributes[0].levels, ["F", "M", "no answer"]);
    let same = Batch::builder()
        .attribute(Categorical::from_options("sex", [Some("F"), Some("F"), Some("M"), Some("no answer"), None, None]))
        .label([1; 6])
        .model(Model::decision("offer", [0, 0, 1, 1, 1, 1]));
    assert_eq!(tally, Tally::of(&same.build().unwrap()).unwrap());
}

#[test]
fn favourable_values_are_told_or_plain() {
    let text = "sex,paid,offer\nf,good,A\nm,bad,B\nf,,C\n";
    let rule = columns().favorable("paid", "good").favorable("offer", "A").favorable("offer", "B");
    let same = Batch::builder()
        .attribute(Categorical::from_values("sex", ["f", "m", "f"]))
        .label([1, 0, 2])
        .model(Model::decision("offer", [1, 1, 0]));
    assert_eq!(tally_of(text, &rule).unwrap(), Tally::of(&same.build().unwrap()).unwrap());

    let untold = failure(text, &columns());
    for fact in ["`paid`", "`bad`", "`good`", "/in.csv", "--favorable"] {
        assert!(untold.contains(fact), "{untold}");
    }
    let odd = failure("sex,paid,offer\nf,yes,1\nm,no,0\nf,maybe,1\n", &columns());
    for fact in ["`paid`", "`maybe`", "row 3", "/in.csv"] {
        assert!(odd.contains(fact), "{odd}");
    }
}

#[test]
fn a_favourable_value_that_never_occurs_is_a_slip() {
    let text = failure("sex,paid,offer\nf,good,1\nm,bad,1\n", &columns().favorable("paid", "Good"));
    for fact in ["`Good`", "`paid`", "`bad`, `good`", "never occurs"] {
        assert!(text.contains(fact), "{text}");
    }
    let text = failure("sex,paid,offer\nf,1,1\n", &columns().favorable("payd", "1"));
    assert!(text.contains("`payd`") && text.contains("did you mean `paid`?"), "{text}");
}

#[test]
fn labels_that_do_not_fit_together_across_files_name_the_second_file() {
    let files = Files::new();
    let paths = [files.put("a.csv", "sex,paid,offer\nf,1,1\n"), files.put("b.csv", "sex,paid,offer\nf,,1\nm,yes,1\n")];
    let error = read(Source::open(&paths).unwrap(), &columns()).unwrap_err().to_string();
    for fact in ["`paid`", "`1`, `yes`", "row 2", "b.csv"] {
        assert!(error.contains(fact), "{error}");
    }
}

#[test]
fn bad_values_name_column_value_row_and_file() {
    let mut scored = columns().score("s").weight("w");
    scored.attributes = vec![level("age:<=25,26-40")];
    let row = |age: &str, s: &str, w: &str| format!("age,paid,offer,s,w\n20,1,1,0.5,1\n{age},1,1,{s},{w}\n");
    for (bad, column) in [
        (row("old", "1", "1"), ("age", "old")),
        (row("inf", "1", "1"), ("age", "inf")),
        (row("20", "NaN", "1"), ("s", "NaN")),
        (row("20", "inf", "1"), ("s", "inf")),
        (row("20", "1e999", "1"), ("s", "1e999")),
        (row("20", "high", "1"), ("s", "high")),
        (row("20", "\"0,5\"", "1"), ("s", "0,5")),
        (row("20", "1", "-1"), ("w", "-1")),
        (row("20", "1", ""), ("w", "")),
        (row("20", "1", "NA"), ("w", "NA")),
        (row("20", "1", "nan"), ("w", "nan")),
        (row("25.5", "1", "1"), ("age", "25.5")),
        (row("41", "1", "1"), ("age", "41")),
    ] {
        let text = failure(&bad, &scored);
        assert!(text.contains(&format!("column `{}`", column.0)), "{text}");
        assert!(text.contains(column.1) && text.contains("in row 2 of /in.csv"), "{text}");
    }
    let text = failure(row("30", "1", "1").replace("age", "Age"), &scored);
    assert!(text.contains("there is no column `age` of /in.csv") && text.contains("did you mean `Age`?"), "{text}");
}

#[test]
fn missing_scores_are_empty_or_a_missing_text() {
    let mut columns = columns().score("s");
    columns.missing.push("-999".into());
    let text = "sex,paid,offer,s\nf,1,1,0.5\nf,1,1,\nf,1,1,NA\nf,1,1,null\nf,1,1,-999\nf,1,1,-999.0\n";
    let scores = [Some(0.5), None, None, None, None, None];
    let same = Batch::builder()
        .attribute(Categorical::from_values("sex", ["f"; 6]))
        .label([1; 6])
        .model(Model::decision("offer", [1; 6]).with_score(scores.as_slice()));
    assert_eq!(tally_of(text, &columns).unwrap(), Tally::of(&same.build().unwrap()).unwrap());
}

#[test]
fn malformed_lines_name_line_and_field() {
    let ragged = |text: &str| failure(text, &columns());
    let text = ragged("sex,paid,offer\n\nf,1,1\nm,1\n");
    assert!(text.contains("/in.csv line 4, field 3") && text.contains("2 fields where 3"), "{text}");
    let text = ragged("sex,paid,offer\r\n\"f\r\ng\",1,1\r\nm,1,1,1\r\n");
    assert!(text.contains("/in.csv line 4, field 4") && text.contains("4 fields where 3"), "{text}");
    let text = failure(b"sex,paid,offer\nf,1,1\nm\xff,1,1\n", &columns());
    assert!(text.contains("/in.csv line 3, field 1") && text.contains("UTF-8"), "{text}");
    let text = failure(b"paid,offer,sex\n1,1,f\xe9\n", &columns());
    assert!(text.contains("/in.csv line 2, field 3"), "{text}");
    // Bytes in columns that are not used are nobody's business.
    assert!(tally_of(b"sex,paid,offer,name\nf,1,1,Jos\xe9\n", &columns()).is_ok());
    let text = ragged("sex,paid,sex,offer\nf,1,1,1\n");
    assert!(text.contains("/in.csv line 1, field 3") && text.contains("`sex` twice"), "{text}");
}

#[test]
fn an_open_quote_swallows_no_rows() {
    for text in [
        "sex,paid,offer\nf,1,1\nm,1,\"1\nf,1,1\nf,1,1\n",
        "sex,paid,offer\nf,1,1\n\"m,1,1\nf,1,1\nf,1,1\n",
        "sex,paid,offer\nf,1,1\n\"m,1,1\nf,1,1",
        "sex,paid,offer\nf,1,1\nm,1,\"",
    ] {
        let text = failure(text, &columns());
        assert!(text.contains("/in.csv line 3") && text.contains("quote"), "{text}");
    }
    let text = failure("\"sex,paid,offer\nf,1,1\n", &columns());
    assert!(text.contains("/in.csv line 1") && text.contains("quote"), "{text}");
}

#[test]
fn nothing_to_read_names_the_file() {
    for text in ["", "sex,paid,offer\n", "sex,paid,offer", "\n\n"] {
        let text = failure(text, &columns());
        assert!(text.starts_with("there is nothing to audit of /in.csv"), "{text}");
    }
    let text = failure(gzip(b""), &columns());
    assert!(text.starts_with("there is nothing to audit of /in.csv"), "{text}");
    assert!(matches!(Source::open(&[] as &[PathBuf]), Err(Error::Nothing { .. })));
}

#[test]
fn other_kinds_of_file_say_what_they_are() {
    for (start, what) in [
        (&b"PK\x03\x04\x14\0\x06\0"[..], "Excel"),
        (b"\x28\xb5\x2f\xfd\x04\0", "zstd"),
        (b"\xff\xfes\0e\0x\0", "UTF-16"),
        (b"sex,paid\0,offer\nf,1,1", "zero bytes"),
    ] {
        let text = failure(start, &columns());
        assert!(text.contains("/in.csv cannot be read") && text.contains(what), "{text}");
    }
    let text = failure(gzip(b"PAR1\x15\x04"), &columns());
    assert!(text.contains("a compressed Parquet file"), "{text}");
    // Names are only names.
    let tally = tally_of("ORC,paid,offer\nf,1,1\n", &Columns { attributes: vec![level("ORC")], ..columns() });
    assert_eq!(tally.unwrap().rows(), 1);
    let files = Files::new();
    let missing = Source::open(&[files.path().join("nowhere.csv")]).unwrap_err().to_string();
    assert!(missing.contains("cannot open") && missing.contains("nowhere.csv"), "{missing}");
    let folder = Source::open(&[files.path()]).unwrap_err().to_string();
    assert!(folder.contains("folder"), "{folder}");
    let path = files.put("a.csv", "sex,paid,offer\nf,1,1\n");
    assert!(matches!(Source::open(&[&path, &files.path().join(".").join("a.csv")]), Err(Error::Duplicate { .. })));
}

#[test]
fn truncated_or_damaged_compression_is_never_a_short_count() {
    let (text, _) = people(400);
    is_told_of_damage(&gzip(text.as_bytes()));
    // Its checksum, which not every writer adds, tells of a flipped byte.
    #[cfg(feature = "zstd")]
    {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(text.as_bytes()).unwrap();
        is_told_of_damage(&encoder.finish().unwrap());
    }
}

fn is_told_of_damage(whole: &[u8]) {
    for cut in (1..40).chain((40..whole.len()).step_by(37)).chain(whole.len() - 10..whole.len()) {
        let text = failure(&whole[..cut], &people_columns());
        assert!(text.contains("/in.csv"), "cut at {cut}: {text}");
    }
    let text = failure(&whole[..whole.len() / 2], &people_columns());
    assert!(text.contains("truncated"), "{text}");
    let mut damaged = whole.to_vec();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    failure(&damaged, &people_columns());
    let tail = [whole, b"rubbish"].concat();
    failure(&tail, &people_columns());
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_refused() {
    let (text, _) = people(60_000);
    for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
        let files = Files::new();
        let half = bytes.len() as u64 / 2;
        let path = files.put("in.csv", bytes);
        let shrinking = path.clone();
        let source = Source::open(&[&path]).unwrap().chunk_rows(100).on_progress(move |_| {
            std::fs::OpenOptions::new().write(true).open(&shrinking).unwrap().set_len(half).unwrap();
        });
        let error = read(source, &people_columns()).unwrap_err().to_string();
        assert!(error.contains("changed while it was read") && error.contains("in.csv"), "{error}");
    }
}

#[test]
fn a_file_that_grows_while_it_is_read_is_refused() {
    let files = Files::new();
    let (text, _) = people(2000);
    let path = files.put("in.csv", &text);
    let growing = path.clone();
    let source = Source::open(&[&path]).unwrap().chunk_rows(100).on_progress(move |_| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&growing).unwrap();
        file.write_all(b"f,20,r1,yes,1,0.5,1\n").unwrap();
    });
    let error = read(source, &people_columns()).unwrap_err().to_string();
    assert!(error.contains("changed while it was read"), "{error}");
}

#[test]
fn without_a_header_columns_have_numbers() {
    let files = Files::new();
    let path = files.put("in.csv", "f;1;0\nm;0;1\n");
    let numbered = Columns::new().attribute(level("column_1")).label("column_2").decision("column_3");
    assert_eq!(read(Source::open(&[&path]).unwrap(), &numbered).unwrap().tally.rows(), 2);
    let told = Source::open(&[&path]).unwrap().header(Some(true)).columns().unwrap();
    assert_eq!(told.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["f", "1", "0"]);
    let error = Source::open(&[&path]).unwrap().delimiter(Some(b'"')).columns().unwrap_err().to_string();
    assert!(error.contains("the delimiter is `\\\"`"), "{error}");
    let names = files.put("names.csv", "a,b\nx,y\n");
    let bare = Source::open(&[&names]).unwrap().header(Some(false)).sample(9).unwrap();
    assert_eq!(bare.values, [["a", "x"], ["b", "y"]]);
}

#[test]
fn columns_and_samples_show_what_there_is() {
    let files = Files::new();
    let path = files.put("in.csv", "sex,age,score,since,, vip\nf,20,0.5,2024-01-31,x,true\nm,,1,,y,false\n");
    let source = Source::open(&[&path]).unwrap();
    let columns = source.columns().unwrap();
    let found: Vec<(&str, ColumnKind)> = columns.iter().map(|c| (c.name.as_str(), c.kind)).collect();
    let expected = [
        ("sex", ColumnKind::Text),
        ("age", ColumnKind::Integer),
        ("score", ColumnKind::Number),
        ("since", ColumnKind::Date),
        ("column_5", ColumnKind::Text),
        ("vip", ColumnKind::Boolean),
    ];
    assert_eq!(found, expected);
    assert_eq!(source.sample(1).unwrap().values[0], ["f"]);
}

#[test]
fn quantiles_are_those_of_all_files() {
    let files = Files::new();
    let ages: Vec<f64> = (0..200).map(|i| f64::from(i * i % 101)).collect();
    let part =
        |ages: &[f64]| ages.iter().fold("age,paid,offer\n".to_string(), |t, a| t + &format!("{a},1,0\n")) + "NA,0,0\n";
    let paths = [files.put("a.csv", part(&ages[..50])), files.put("b.csv", part(&ages[50..]))];
    let columns = Columns { attributes: vec![level("age:quantiles:4")], ..columns() };
    let found = read(Source::open(&paths).unwrap().chunk_rows(7), &columns).unwrap();
    let mut all = ages[..50].to_vec();
    all.push(f64::NAN);
    all.extend(&ages[50..]);
    all.push(f64::NAN);
    let label: Vec<u8> = all.iter().map(|a| u8::from(!a.is_nan())).collect();
    let same = Batch::builder()
        .attribute(Categorical::from_numbers("age", &all, &Bands::Quantiles(4)).unwrap())
        .label(&label)
        .model(Model::decision("offer", vec![0; 202]));
    assert_eq!(found.tally, Tally::of(&same.build().unwrap()).unwrap());
}

#[test]
fn many_levels_keep_their_rows() {
    let mut text = String::from("sex,paid,offer\n");
    for i in 0..30_000 {
        writeln!(text, "level {},{},1", i % 10_000, u8::from(i % 10_000 < 5)).unwrap();
    }
    let values: Vec<String> = (0..30_000).map(|i| format!("level {}", i % 10_000)).collect();
    let label: Vec<u8> = (0..30_000).map(|i| u8::from(i % 10_000 < 5)).collect();
    let same = Batch::builder()
        .attribute(Categorical::from_values("sex", &values))
        .label(&label)
        .model(Model::decision("offer", vec![1; 30_000]));
    let files = Files::new();
    let source = Source::open(&[files.put("in.csv", &text)]).unwrap().chunk_rows(4096);
    assert_eq!(read(source, &columns()).unwrap().tally, Tally::of(&same.build().unwrap()).unwrap());
    let small = Limits { max_cells: 100, ..Limits::default() };
    let many =
        Source::open(&[files.put("two.csv", text.replace("sex,paid", "sex,paid2").replace("paid2", "paid"))]).unwrap();
    let twice = Columns { strata: vec![LevelColumn::plain("paid")], ..columns() };
    let error = many.tally(&twice, &[], small).unwrap_err();
    assert!(matches!(error, Error::TooManyCells { limit: 100, .. }), "{error}");
}

#[test]
fn further_level_columns_are_crossed_once() {
    let text = "sex,city,paid,offer\nf,rome,1,1\nm,oslo,1,0\n";
    let files = Files::new();
    let path = files.put("in.csv", text);
    let tally = |extra: &[&str]| {
        let extra: Vec<LevelColumn> = extra.iter().map(|e| level(e)).collect();
        Source::open(&[&path]).unwrap().tally(&columns(), &extra, Limits::default())
    };
    let names = |t: SourceTally| t.tally.schema().attributes.iter().map(|a| a.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(tally(&["city", "sex"]).unwrap()), ["sex", "city"]);
    assert!(matches!(tally(&["sex:F=f"]), Err(Error::Duplicate { .. })));
}

#[test]
fn progress_ends_at_the_whole() {
    let (text, _) = people(1000);
    let files = Files::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let path = files.put("in.csv", &text);
    let source = Source::open(&[path]).unwrap().chunk_rows(100).on_progress(move |p| log.lock().unwrap().push(p));
    read(source, &people_columns()).unwrap();
    let seen = seen.lock().unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.bytes_done, last.rows), (last.bytes_total, 1000));
    assert_eq!(last.bytes_total, 2 * text.len() as u64);
    assert!(seen.is_sorted_by_key(|p| p.bytes_done));
}

#[test]
fn the_number_to_select_must_be_there() {
    let mut columns = Columns::new().attribute(level("sex")).score("s");
    columns.top = vec![Top::Count(3)];
    let text = failure("sex,s\nf,1\nm,2\nm,\n", &columns);
    assert!(text.contains("the number to select is 3") && text.contains("2 rows"), "{text}");
    columns.top = vec![Top::Count(2)];
    assert_eq!(tally_of("sex,s\nf,1\nm,2\nm,\n", &columns).unwrap().rows(), 3);
}
