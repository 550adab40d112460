//! The answer: a table of counts, checked and made a tally.

use super::question::{Part, Question};
use crate::data::source::{CellColumns, CellSource, CellTable, SourceTally};
use crate::data::{
    Batch, BinaryReader, Categorical, Codes, Columns, Cut, Filtered, LevelColumn, Model, ModelColumns, Numbers, Rule,
    Segments, Top,
};
use crate::error::{Error, Place, Result};
use crate::tally::{Accumulator, Cells, Limits, check_cell};

/// Reads the answer to what a plan asks.
pub(crate) fn tally(
    source: &dyn CellSource,
    columns: &Columns,
    extra: &[LevelColumn],
    limits: Limits,
) -> Result<SourceTally> {
    let question = Question::new(columns, extra)?;
    let answer = Answer::read(source, &question)?;
    answer.check_marks()?;
    answer.check_levels()?;
    let counts: Vec<u64> = answer.table.numbers[question.scores.len()].iter().map(|n| *n as u64).collect();
    answer.check_counts(&counts)?;
    let values = answer.check_binaries()?;
    answer.check_unique()?;

    let batch = answer.batch(columns, &counts)?;
    let mut cells = Cells::new(&counts);
    if let [.., sums, squares] = answer.table.numbers.as_slice()
        && question.weight.is_some()
    {
        cells = cells.weights(sums, squares);
    }
    let mut accumulator = Accumulator::new(limits);
    accumulator.add_cells(&batch, &cells)?;
    drop(batch);
    let tally = accumulator.finish()?;
    let tally = tally.ok_or(Error::Nothing { problem: "there are no rows", place: Place::default() })?;
    let names = question.binaries.iter().map(|b| b.column.clone());
    // The engine dropped the rows that a filter leaves out, and told of none.
    let filtered = columns.filter.as_ref();
    let filtered = filtered.map(|filter| Filtered { condition: filter.to_string(), rows_left_out: None });
    Ok(SourceTally { tally, files: answer.table.files, values: names.zip(values).collect(), filtered })
}

struct Answer<'q> {
    question: &'q Question,
    table: CellTable,
    /// Where the mark of the question stands among the levels.
    mark: Option<usize>,
    /// Where the faults stand among the numbers.
    fault: Option<usize>,
    /// Where the least and greatest text of each label and decision stand among the levels.
    texts: Option<usize>,
}

impl<'q> Answer<'q> {
    fn read(source: &dyn CellSource, question: &'q Question) -> Result<Self> {
        let known = source.names()?;
        let has = |name: &str| known.iter().any(|known| known == name);
        let names = |name: &String| [format!("{name}_least"), format!("{name}_most")];
        let texts: Vec<String> = question.binaries.iter().flat_map(|b| names(&b.name)).collect();
        let mut levels: Vec<String> = question.levels.iter().map(|l| l.name.clone()).collect();
        let marked = has("question").then_some(levels.len());
        levels.extend(marked.map(|_| "question".to_string()));
        let texted = texts.iter().any(|name| has(name)).then_some(levels.len());
        levels.extend(texts.into_iter().filter(|_| texted.is_some()));
        let fault = has("fault").then_some(question.scores.len() + 1);
        let sums = if question.weight.is_some() { &["weight", "weight_squared"][..] } else { &[] };
        let counts = ["row_count"].into_iter().chain(fault.map(|_| "fault"));
        let table = source.cells(&CellColumns {
            levels,
            missing: question.missing.clone(),
            binaries: question.binaries.iter().map(|b| b.name.clone()).collect(),
            scores: question.scores.iter().map(|s| s.name.clone()).collect(),
            counts: counts.map(String::from).collect(),
            sums: sums.iter().map(|s| (*s).to_string()).collect(),
        })?;
        Ok(Answer { question, table, mark: marked, fault, texts: texted })
    }

    fn wrong(&self, row: usize, problem: impl Into<String>) -> Error {
        Error::BadTally { place: self.table.place(row), problem: problem.into() }
    }

    /// The answer must be to this question, and all rows counted.
    fn check_marks(&self) -> Result<()> {
        if let Some(column) = self.mark {
            let mark = self.question.mark();
            let other = (0..self.table.rows).find(|row| self.table.level(column, *row) != Some(mark.as_str()));
            if let Some(row) = other {
                let problem = "column `question` has the mark of another question; count with the same columns, levels, \
                               favourable values and missing texts as the audit is asked with";
                return Err(self.wrong(row, problem));
            }
        }
        let Some(faults) = self.fault.map(|at| &self.table.numbers[at]) else { return Ok(()) };
        let Some(row) = faults.iter().position(|fault| *fault != 0.0) else { return Ok(()) };
        let rows = self.table.numbers[self.question.scores.len()][row];
        Err(match self.question.checked().get(faults[row] as usize - 1) {
            Some((column, expected)) => self.wrong(
                row,
                format!("column `{column}` of the table that was counted holds something else in {rows} rows; it needs {expected}"),
            ),
            None => self.wrong(
                row,
                "the engine takes `a` and `A` for the same text, which would merge levels; count by a collation that tells \
                 them apart",
            ),
        })
    }

    /// In text, `\N` is what some engines write for NULL: it must not become a level.
    fn check_levels(&self) -> Result<()> {
        if self.table.files.iter().all(|file| file.format.is_typed()) {
            return Ok(());
        }
        for (at, level) in self.question.levels.iter().enumerate() {
            let mark = self.table.names[at].iter().position(|name| name == "\\N");
            let row = mark.and_then(|mark| self.table.levels[at].iter().position(|code| *code as usize == mark));
            if let Some(row) = row {
                let name = &level.name;
                let problem = format!(
                    "column `{name}` holds `\\N`, which may be a level or say that there is none; write the answer as Parquet, \
                     or as CSV with nothing for NULL"
                );
                return Err(self.wrong(row, problem));
            }
        }
        Ok(())
    }

    fn check_counts(&self, counts: &[u64]) -> Result<()> {
        let weights = match self.table.numbers.as_slice() {
            [.., sums, squares] if self.question.weight.is_some() => Some([sums, squares]),
            _ => None,
        };
        for (row, count) in counts.iter().enumerate() {
            if let Err((column, value, expected)) = check_cell(*count, weights.map(|w| w.map(|w| w[row]))) {
                let column = if column == "rows" { "row_count" } else { column };
                return Err(Error::BadNumber { column: column.into(), value, place: self.table.place(row), expected });
            }
        }
        Ok(())
    }

    /// The least and greatest texts of labels and decisions must mean what the engine took them for, and must be plainly
    /// binary together. Gives the texts of each.
    fn check_binaries(&self) -> Result<Vec<Vec<String>>> {
        let Some(first) = self.texts else { return Ok(vec![Vec::new(); self.question.binaries.len()]) };
        let mut values = Vec::new();
        for (at, binary) in self.question.binaries.iter().enumerate() {
            let missing = self.question.missing.clone();
            let mut reader = BinaryReader::new(&binary.column, binary.favorable.clone(), missing);
            for row in 0..self.table.rows {
                for column in [first + 2 * at, first + 2 * at + 1] {
                    let Some(text) = self.table.level(column, row) else { continue };
                    let code = reader.code(text, row as u64);
                    reader.check(|row| self.table.place(row as usize))?;
                    if code != self.table.binaries[at][row] {
                        let problem = format!(
                            "column `{}` says otherwise than the text `{text}` in column `{}`; the statement or its answer \
                             was changed",
                            binary.name, binary.column
                        );
                        return Err(self.wrong(row, problem));
                    }
                }
            }
            reader.finish()?;
            values.push(reader.values().map(String::from).collect());
        }
        Ok(values)
    }

    /// No cell may stand twice: a `GROUP BY` gives each once.
    fn check_unique(&self) -> Result<()> {
        let levels = &self.table.levels[..self.question.levels.len()];
        let scores = &self.table.numbers[..self.question.scores.len()];
        // Missing scores, NaN, are alike.
        let bits = |score: f64| if score.is_nan() { u64::MAX } else { crate::tally::score_key(score) };
        let order = |a: usize, b: usize| {
            let by_level = levels.iter().map(|c| c[a].cmp(&c[b]));
            let by_binary = self.table.binaries.iter().map(|c| c[a].cmp(&c[b]));
            let by_score = scores.iter().map(|c| bits(c[a]).cmp(&bits(c[b])));
            by_level.chain(by_binary).chain(by_score).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        };
        let mut rows: Vec<usize> = (0..self.table.rows).collect();
        rows.sort_by(|a, b| order(*a, *b));
        match rows.windows(2).filter(|w| order(w[0], w[1]).is_eq()).map(|w| (w[1], w[0])).min() {
            Some((row, first)) => {
                let first = self.table.place(first);
                let problem = format!(
                    "its cell stands already{first}; give one answer of one statement, and put answers about several days \
                     or tables together in the engine, before it groups"
                );
                Err(self.wrong(row, problem))
            }
            None => Ok(()),
        }
    }

    fn batch<'a>(&'a self, columns: &'a Columns, counts: &[u64]) -> Result<Batch<'a>> {
        let mut batch = Batch {
            rows: self.table.rows,
            attributes: Vec::new(),
            strata: Vec::new(),
            label: None,
            models: Vec::new(),
            segmentations: Vec::new(),
            weight: None,
            target: None,
            parts: None,
        };
        for (at, level) in self.question.levels.iter().enumerate() {
            let column = self.column(at)?;
            match level.part {
                Part::Attribute => batch.attributes.push(column),
                Part::Stratum => batch.strata.push(column),
                Part::Segment(number) => {
                    let asked = &columns.segments[number];
                    batch.segmentations.push(Segments {
                        column,
                        parts: None,
                        classes: None,
                        earlier: asked.earlier.is_some(),
                        order: asked.order.clone(),
                        values: asked.values.clone(),
                    });
                }
                Part::Class(_) => {
                    if let Some(segments) = batch.segmentations.last_mut() {
                        segments.classes = Some(column);
                    }
                }
            }
        }
        let binary = |name: &str| {
            let at = self.question.binaries.iter().position(|b| b.name == name);
            at.map(|at| self.table.binaries[at].as_slice().into())
        };
        batch.label = columns.label.as_ref().and_then(|_| binary("label"));
        for asked in columns.models()? {
            batch.models.push(self.model(asked, columns, counts, &binary)?);
        }
        Ok(batch)
    }

    fn model<'a>(
        &'a self,
        asked: ModelColumns,
        columns: &Columns,
        counts: &[u64],
        binary: &dyn Fn(&str) -> Option<crate::data::Binary<'a>>,
    ) -> Result<Model<'a>> {
        let place = |names: &[String], name: &Option<String>| {
            name.as_ref().and_then(|name| names.iter().position(|n| n == name))
        };
        let score = place(&columns.scores, &asked.score).map(|at| self.table.numbers[at].as_slice());
        let decision =
            place(&columns.decisions, &asked.decision).and_then(|at| binary(&format!("decision_{}", at + 1)));
        let cut = |top: Top| -> Result<Rule<'a>> {
            let scores = score.unwrap_or(&[]).iter().copied();
            // Nobody selected is a threshold that nothing reaches.
            Ok(Cut::of_cells(top, scores.zip(counts.iter().copied()))?.map_or(Rule::AtLeast(f64::MAX), Rule::Cut))
        };
        let rule = match (decision, asked.threshold, asked.top) {
            (Some(decision), ..) => Rule::Given(decision),
            (None, Some(threshold), _) => Rule::AtLeast(threshold),
            (None, None, Some(top)) => cut(top)?,
            (None, None, None) => Rule::None,
        };
        Ok(Model { name: asked.name, rule, score: score.map(Numbers::trusted), score_name: asked.score })
    }

    /// A column of levels under its own name.
    fn column(&self, at: usize) -> Result<Categorical<'_>> {
        let level = &self.question.levels[at];
        let (names, codes) = (&self.table.names[at], &self.table.levels[at]);
        let Some(ranges) = level.ranges() else {
            return Ok(Categorical::trusted(&level.column.name, names, Codes::from(codes.as_slice()), false));
        };
        let labels: Vec<String> = ranges.iter().map(|r| r.label().to_string()).collect();
        let bands: Vec<Option<u32>> =
            names.iter().map(|n| labels.iter().position(|l| l == n).map(|band| band as u32)).collect();
        let mut banded = Vec::with_capacity(codes.len());
        for (row, code) in codes.iter().enumerate() {
            let band = match bands.get(*code as usize) {
                None => u32::MAX,
                Some(Some(band)) => *band,
                Some(None) => {
                    let name = &names[*code as usize];
                    let problem =
                        format!("column `{}` holds `{name}`, which is none of the bands {labels:?}", level.name);
                    return Err(self.wrong(row, problem));
                }
            };
            banded.push(band);
        }
        Ok(Categorical::from_codes(level.column.name.clone(), labels, banded)?.ordered())
    }
}
