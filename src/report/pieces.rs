//! JSON of a report in pieces, on all threads: what is long in it are the groups and comparisons of its tables. Comparisons
//! stand a line each, all else is indented.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::{AttributeTable, Disparity, GroupResult, ModelReport, Report};

/// A comma, a new line and what indents it. Deeper ones are indented by more of the same.
const LINE: &str = ",\n                                                                ";
/// Spaces by which each level is indented.
const STEP: usize = 2;
/// How deep the tables of a model are, and their groups and comparisons.
const TABLE: usize = 4;
const ROW: usize = 6;
/// Groups, or comparisons, that make a piece of some tens of kilobytes.
const GROUPS: usize = 8;
const DISPARITIES: usize = 128;
/// Pieces that are made while those before them are written.
const WAVE: usize = 24;

/// Indents as `serde_json` does, with one write a line, from any depth on.
struct Indented {
    depth: usize,
    filled: bool,
}

impl Indented {
    fn line<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        let (from, indent) = (usize::from(first), STEP * self.depth);
        let room = LINE.len() - 2;
        out.write_all(&LINE.as_bytes()[from..2 + indent.min(room)])?;
        (room..indent).try_for_each(|_| out.write_all(b" "))
    }

    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.filled {
            self.line(out, true)?;
        }
        out.write_all(bracket)
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}

/// Anything as JSON, its lines after the first indented for a depth.
pub(super) fn indented(of: &impl Serialize, depth: usize, out: &mut Vec<u8>) -> serde_json::Result<()> {
    of.serialize(&mut Serializer::with_formatter(out, Indented { depth, filled: false }))
}

/// A part of the text.
enum Piece<'a> {
    Text(Vec<u8>),
    /// Some of a table's groups, or comparisons, and whether they are the first.
    Groups(&'a [GroupResult], bool),
    Disparities(&'a [Disparity], bool),
}

impl Piece<'_> {
    fn write(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        out.clear();
        match self {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Groups(rows, first) => list(rows, *first, out, |group, out| indented(group, ROW, out))?,
            Piece::Disparities(rows, first) => list(rows, *first, out, |row, out| serde_json::to_writer(out, row))?,
        }
        Ok(())
    }
}

/// The items of a list of a table.
fn list<T>(
    items: &[T],
    first: bool,
    out: &mut Vec<u8>,
    write: impl Fn(&T, &mut Vec<u8>) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    let at = Indented { depth: ROW, filled: false };
    for (number, item) in items.iter().enumerate() {
        at.line(out, first && number == 0).map_err(serde_json::Error::io)?;
        write(item, out)?;
    }
    Ok(())
}

/// Writes the report as JSON. While some pieces are written, the next are made.
pub(super) fn write(report: &Report, out: &mut impl Write) -> serde_json::Result<()> {
    let pieces = pieces(report)?;
    let room = || vec![Vec::new(); WAVE.min(pieces.len())];
    let (mut ready, mut next) = (room(), room());
    let make = |texts: &mut Vec<Vec<u8>>, wave: &[Piece]| -> serde_json::Result<()> {
        texts.truncate(wave.len());
        texts.par_iter_mut().zip(wave).try_for_each(|(text, piece)| piece.write(text))
    };
    let mut waves = pieces.chunks(WAVE);
    make(&mut ready, waves.next().unwrap_or_default())?;
    while !ready.is_empty() {
        let mut made = Ok(());
        let written = rayon::in_place_scope(|scope| {
            let wave = waves.next().unwrap_or_default();
            scope.spawn(|_| made = make(&mut next, wave));
            ready.iter().try_for_each(|text| out.write_all(text))
        });
        written.map_err(serde_json::Error::io)?;
        made?;
        std::mem::swap(&mut ready, &mut next);
    }
    Ok(())
}

/// The text in order: the report without the lists of its tables, cut where they belong.
fn pieces(report: &Report) -> serde_json::Result<Vec<Piece<'_>>> {
    let bare = Report {
        schema_version: report.schema_version,
        verdict: report.verdict,
        summary: report.summary.clone(),
        provenance: report.provenance.clone(),
        data: report.data.clone(),
        settings: report.settings.clone(),
        models: report.models.iter().map(without_tables).collect(),
    };
    let mut text = Text::default();
    indented(&bare, 0, &mut text.rest)?;
    for model in &report.models {
        let mut tables = Vec::new();
        for (at, table) in model.tables.iter().enumerate() {
            let mut text = Text::default();
            Indented { depth: TABLE, filled: false }.line(&mut text.rest, at == 0).map_err(serde_json::Error::io)?;
            indented(&without_lists(table), TABLE, &mut text.rest)?;
            let groups = table.groups.chunks(GROUPS).enumerate();
            text.insert("groups", ROW - 1, groups.map(|(at, rows)| Piece::Groups(rows, at == 0)).collect())?;
            let rows = table.disparities.chunks(DISPARITIES).enumerate();
            text.insert("disparities", ROW - 1, rows.map(|(at, rows)| Piece::Disparities(rows, at == 0)).collect())?;
            tables.append(&mut text.end());
        }
        text.insert("tables", TABLE - 1, tables)?;
    }
    Ok(text.end())
}

/// Text that is cut where lists are missing.
#[derive(Default)]
struct Text<'a> {
    pieces: Vec<Piece<'a>>,
    rest: Vec<u8>,
}

impl<'a> Text<'a> {
    /// Puts the items into the next empty list of that name, the field of an object whose lines are so deep. No text has a new
    /// line within a string.
    fn insert(&mut self, name: &str, depth: usize, mut items: Vec<Piece<'a>>) -> serde_json::Result<()> {
        let line = format!("\n{:indent$}", "", indent = STEP * depth);
        let empty = format!("{line}\"{name}\": []");
        let found = self.rest.windows(empty.len()).position(|text| text == empty.as_bytes());
        let missing = || serde_json::Error::io(io::Error::other(format!("there is no place for `{name}`")));
        let at = found.ok_or_else(missing)? + empty.len() - 1;
        let rest = self.rest.split_off(at);
        self.pieces.push(Piece::Text(std::mem::replace(&mut self.rest, rest)));
        if !items.is_empty() {
            self.pieces.append(&mut items);
            self.pieces.push(Piece::Text(line.into_bytes()));
        }
        Ok(())
    }

    fn end(mut self) -> Vec<Piece<'a>> {
        self.pieces.push(Piece::Text(self.rest));
        self.pieces
    }
}

fn without_tables(model: &ModelReport) -> ModelReport {
    ModelReport {
        model: model.model.clone(),
        rule: model.rule,
        segment_of: model.segment_of.clone(),
        verdict: model.verdict,
        coverage: model.coverage.clone(),
        findings: model.findings.clone(),
        overall: model.overall.clone(),
        tables: Vec::new(),
        impact: model.impact.clone(),
        notes: model.notes.clone(),
    }
}

fn without_lists(table: &AttributeTable) -> AttributeTable {
    AttributeTable {
        attribute: table.attribute.clone(),
        attributes: table.attributes.clone(),
        overlapping: table.overlapping,
        reference: table.reference.clone(),
        groups: Vec::new(),
        missing_rows: table.missing_rows,
        disparities: Vec::new(),
        cells: table.cells.clone(),
        conditioning: table.conditioning.clone(),
        scores: table.scores.clone(),
        curves: table.curves.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn text(of: &impl Serialize) -> String {
        let mut text = Vec::new();
        indented(of, 0, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn it_is_the_usual_indented_json() {
        let empty: [BTreeMap<&str, Vec<f64>>; 2] =
            [BTreeMap::new(), BTreeMap::from([("none", vec![]), ("a\nb", vec![0.1, 1e300])])];
        assert_eq!(text(&empty), serde_json::to_string_pretty(&empty).unwrap());
        assert_eq!(text(&Some("a \"word\"")), "\"a \\\"word\\\"\"");
        // Deeper than the longest line that is ready.
        let deep = (0..80).fold(serde_json::json!({"end": [1, {}]}), |inner, at| match at % 2 {
            0 => serde_json::json!([inner, null]),
            _ => serde_json::json!({"in": inner, "beside": true}),
        });
        assert_eq!(text(&deep), serde_json::to_string_pretty(&deep).unwrap());
    }

    #[test]
    fn names_of_columns_do_not_mislead() {
        let column = "\n      \"tables\": []";
        let values: Vec<String> = (0..1200).map(|at| format!("\n          \"groups\": [] {}", at % 211)).collect();
        let batch = crate::data::Batch::builder()
            .attribute(crate::data::Categorical::from_values(column, &values))
            .decision((0..1200).map(|at| u8::from(at % 7 < 3)).collect::<Vec<u8>>())
            .build()
            .unwrap();
        let mut report = crate::audit::AuditPlan::new().replicates(20).run(&batch).unwrap();
        let written = |report: &Report| {
            let mut out = Vec::new();
            write(report, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = written(&report);
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        let table = &mut report.models[0].tables[0];
        assert!(table.groups.len() > GROUPS * WAVE, "pieces of more than one wave");
        let rows = std::mem::take(&mut table.disparities);
        assert!(rows.len() > DISPARITIES);
        let lines: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
        let list = format!("\"disparities\": [\n            {}\n          ]", lines.join(",\n            "));
        // What names hold is written by an escape and not as this.
        let others = written(&report);
        assert_eq!(others, serde_json::to_string_pretty(&report).unwrap());
        assert_eq!(text, others.replace("\"disparities\": []", &list));
    }
}
