//! The long form: every number of a report, one a line, in CSV and in Parquet.

use std::collections::BTreeMap;

use evenhand::metrics::Estimate;
use evenhand::report::Report;

use crate::sample::{all, cuts, ruled};

const NAMES: [&str; 6] = ["attribute", "group", "stratum", "metric", "comparison", "against"];
const NUMBERS: [&str; 6] = ["value", "low", "high", "p_value", "rows", "weight"];

/// A line: model, names, numbers, reason.
type Line = (String, [String; 6], [Option<f64>; 6], String);

/// The lines of the CSV; without a column of models it is that of the only one.
fn lines(name: &str, report: &Report) -> Vec<Line> {
    let text = report.to_csv();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(Into::into).collect();
    let lead = if report.models.len() > 1 { "model," } else { "" };
    assert_eq!(head.join(","), format!("{lead}{},{},reason", NAMES.join(","), NUMBERS.join(",")), "{name}");
    let only = report.models.first().map(|m| m.model.clone()).unwrap_or_default();
    let line = |l: BTreeMap<String, String>| {
        let number = |c: &str| (!l[c].is_empty()).then(|| l[c].parse::<f64>().unwrap());
        let model = l.get("model").unwrap_or(&only).clone();
        (model, NAMES.map(|c| l[c].clone()), NUMBERS.map(number), l["reason"].clone())
    };
    reader.deserialize().map(Result::unwrap).map(line).collect()
}

/// Whether a line is of what has no estimate: cuts, what strata explain, a rulebook's tables.
fn further(line: &Line) -> bool {
    line.2[4].is_none() || line.1[3].starts_with("rulebook_")
}

#[test]
fn csv_holds_every_figure() {
    for (name, report) in all() {
        let found = lines(name, &report);
        let mut left = found.iter().filter(|l| !further(l));
        let mut check = |model: &str, key: [&str; 6], e: &Estimate, p: Option<f64>| {
            let (of, names, numbers, reason) = left.next().expect("a line for each figure");
            assert_eq!((of.as_str(), names.each_ref().map(String::as_str)), (model, key), "{name}");
            let (low, high) = match (e.value, e.bounds) {
                (None, Some([low, high])) => (Some(low), Some(high)),
                _ => (e.low, e.high),
            };
            assert_eq!(*numbers, [e.value, low, high, p, Some(e.support.rows), Some(e.support.weight)]);
            let why = e.reason.map(|r| r.to_string()).unwrap_or_default();
            assert!(reason.starts_with(&why) && (e.value.is_none() || reason.is_empty()));
            assert_eq!(reason.contains("low and high"), e.value.is_none() && e.bounds.is_some());
        };
        for m in &report.models {
            for (metric, e) in &m.overall {
                check(&m.model, ["overall", "overall", "", metric, "", ""], e, None);
            }
            for t in &m.tables {
                for g in &t.groups {
                    let mut share = Estimate::of(g.share, Default::default());
                    (share.support.rows, share.support.weight) = (g.rows as f64, g.weight);
                    check(&m.model, [&t.attribute, &g.group, "", "share_of_rows", "", ""], &share, None);
                    for (metric, e) in &g.metrics {
                        check(&m.model, [&t.attribute, &g.group, "", metric, "", ""], e, None);
                    }
                    for (stratum, metrics) in &g.strata {
                        for (metric, e) in metrics {
                            check(&m.model, [&t.attribute, &g.group, stratum, metric, "", ""], e, None);
                        }
                    }
                }
                for c in &t.cells {
                    let of = format!("{} = {}", m.model, c.segment);
                    let residual = Estimate { value: c.residual, low: None, high: None, ..c.share.clone() };
                    for (metric, e, p) in [
                        ("representation", &c.representation, None),
                        ("representation_skew", &c.skew, None),
                        ("impact_ratio", &c.impact_ratio, None),
                        ("adjusted_residual", &residual, c.p_value),
                    ] {
                        check(&of, [&t.attribute, &c.group, "", metric, "", ""], e, p);
                    }
                }
                for d in &t.disparities {
                    let (group, stratum) = (d.group.as_deref().unwrap_or(""), d.stratum.as_deref().unwrap_or(""));
                    let key = [&t.attribute, group, stratum, &d.metric, &d.comparison.to_string(), &d.against];
                    check(&m.model, key, &d.estimate, d.p_value);
                }
            }
        }
        assert!(left.next().is_none(), "{name}: no line too many");
    }
}

/// The value of the one line with these names.
fn value(lines: &[Line], names: [&str; 6]) -> Option<f64> {
    let mut found = lines.iter().filter(|l| l.1.each_ref().map(String::as_str) == names);
    let line = found.next().unwrap_or_else(|| panic!("no line of {names:?}"));
    assert!(found.next().is_none(), "two lines of {names:?}");
    line.2[0]
}

#[test]
fn cuts_strata_and_rulebooks_are_in_it_too() {
    let report = cuts();
    let table = &report.models[0].tables[0];
    let curves = table.curves.as_ref().unwrap();
    let all = lines("cuts", &report);
    for (point, comparison, at) in curves
        .thresholds
        .iter()
        .map(|p| (p, "at_threshold", p.threshold))
        .chain(curves.budgets.iter().map(|p| (p, "at_budget", p.share)))
    {
        let at = at.to_string();
        for (group, cut) in curves.groups.iter().zip(&point.groups) {
            let of = |metric| value(&all, ["sex", group, "", metric, comparison, &at]);
            assert_eq!(of("selection_rate"), cut.selection_rate.value);
            assert_eq!(of("precision"), cut.precision.as_ref().and_then(|f| f.value));
        }
        let ratio = value(&all, ["sex", "", "", "impact_ratio", comparison, &at]);
        assert_eq!(ratio, point.impact_ratio.value);
    }

    let report = ruled("eeoc");
    let all = lines("ruled", &report);
    let several = report.models.len() > 1;
    assert!(!several);
    for t in &report.models[0].tables {
        for part in t.conditioning.iter().flat_map(|c| &c.parts) {
            let reference = t.reference.as_deref().unwrap();
            let names = [&t.attribute, &part.group, &part.stratum].map(String::as_str);
            let key = |metric| [names[0], names[1], names[2], metric, "value", reference];
            assert_eq!(value(&all, key("explained_difference")), Some(part.explained));
            assert_eq!(value(&all, key("unexplained_difference")), Some(part.unexplained));
        }
    }
    for t in &report.models[0].impact {
        let benchmark = t.benchmark.as_deref().unwrap();
        for row in &t.rows {
            let rate = value(&all, [&t.attribute, &row.category, "", "rulebook_rate", "", ""]);
            let key = [&t.attribute, &row.category, "", "rulebook_impact_ratio", "ratio", benchmark];
            assert_eq!((rate, value(&all, key)), (Some(row.rate), row.impact_ratio));
        }
    }
    assert!(all.iter().filter(|l| further(l)).count() > 10);
}

/// What reads Parquet gets the very lines of the CSV, with types.
#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_the_same_lines() {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    for (name, report) in all() {
        let mut bytes = Vec::new();
        report.write_parquet(&mut bytes).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(parquet_bytes(bytes)).unwrap().build().unwrap();
        let mut found: Vec<Line> = Vec::new();
        for batch in reader.map(Result::unwrap) {
            let names: Vec<String> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
            assert_eq!(names.join(","), format!("model,{},{},reason", NAMES.join(","), NUMBERS.join(",")));
            let text = |column: &str, row: usize| {
                let array = batch.column_by_name(column).unwrap().as_string::<i32>();
                if array.is_valid(row) { array.value(row).to_string() } else { String::new() }
            };
            let number = |column: &str, row: usize| {
                let array = batch.column_by_name(column).unwrap().as_primitive::<Float64Type>();
                array.is_valid(row).then(|| array.value(row))
            };
            for row in 0..batch.num_rows() {
                let names = NAMES.map(|c| text(c, row));
                found.push((text("model", row), names, NUMBERS.map(|c| number(c, row)), text("reason", row)));
            }
        }
        assert_eq!(found, lines(name, &report), "{name}");
    }
}

/// A file in memory, through a temporary one: the reader wants to seek.
#[cfg(feature = "parquet")]
fn parquet_bytes(bytes: Vec<u8>) -> std::fs::File {
    use std::io::Write;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file
}
