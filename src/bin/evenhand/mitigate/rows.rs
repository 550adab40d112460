//! What all methods share: the rows that are read, the copy that is written, and what is said of it.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use evenhand::data::source::{Changes, Format, Rows, Source};
use evenhand::data::{Column, Columns, LevelColumn, Table};
use serde::Serialize;

use crate::args::{Assignment, assignment, delimiter, parsed, positive};
use crate::failure::Failure;
use crate::inputs;
use crate::manner;
use crate::output::{self, Target};
use crate::progress::Bar;

/// The rows.
#[derive(Debug, Args)]
pub struct RowArgs {
    /// Files that together are one batch: delimited text (plain, gzip, zstd) or Parquet. `-` is standard input.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// A protected attribute; repeatable, their intersections are the groups. 'age:<=25,26-40,>40' cuts into bands.
    #[arg(short, long = "attribute", value_name = "COLUMN", value_parser = parsed::<LevelColumn>, required = true)]
    attributes: Vec<LevelColumn>,

    /// The weight of each row.
    #[arg(short, long, value_name = "COLUMN")]
    weight: Option<String>,

    /// The favourable value of a label that is not plainly yes/no, true/false or 1/0; repeatable.
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = assignment)]
    favorable: Vec<Assignment>,

    /// A further text that means missing, such as '?'; repeatable.
    #[arg(long, value_name = "TEXT")]
    missing: Vec<String>,

    /// What separates fields: a character, or `tab`. Found from the file, if not given.
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// The first line is data: columns are named column_1, column_2, ...
    #[arg(long)]
    no_header: bool,

    /// Threads to work with; all cores, if not given. The result is the same for any number.
    #[arg(long, value_name = "COUNT", value_parser = positive)]
    threads: Option<usize>,
}

/// The copy.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// Where the rows are written: text as CSV, compressed where the name ends in .gz or .zst, Parquet as Parquet. `-` is standard output.
    /// A file of that name is replaced.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// The form of what is said of it.
    #[arg(long, value_enum, default_value = "text")]
    summary: SummaryForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SummaryForm {
    /// For people, at a terminal.
    Text,
    /// For programs: everything, to the last figure.
    Json,
}

/// A method at work: the files are known, and the copy can be written.
pub struct Work<'a> {
    source: Source,
    columns: Columns,
    copy: &'a CopyArgs,
    target: Option<Target>,
}

impl<'a> Work<'a> {
    pub fn begin(rows: &RowArgs, copy: &'a CopyArgs) -> Result<Self, Failure> {
        if let Some(threads) = rows.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build_global()
                .map_err(|e| Failure::new(format!("cannot start {threads} threads: {e}"), "ask for fewer"))?;
        }
        let files = inputs::expand(&rows.files)?;
        let target = Target::of_rows(&copy.output, &files)?;
        let source = inputs::open(&files, rows.delimiter, rows.no_header)?;
        let mut columns = Columns { attributes: rows.attributes.clone(), ..Columns::default() };
        columns.weight.clone_from(&rows.weight);
        columns.missing.extend(rows.missing.iter().cloned());
        for Assignment { name, value } in &rows.favorable {
            columns.favorable.entry(name.clone()).or_default().push(value.clone());
        }
        Ok(Work { source, columns, copy, target })
    }

    /// Asks for strata by the names of their columns.
    pub fn strata(&mut self, names: &[String]) {
        self.columns.strata = names.iter().map(LevelColumn::plain).collect();
    }

    /// Whole columns; all of them, if none is named.
    pub fn table(&self, names: &[String]) -> Result<Table, Failure> {
        Ok(self.source.table(names, &self.columns.missing)?)
    }

    /// A number for each value of a column, the same for the same value.
    pub fn ids(&self, name: &str) -> Result<Vec<u64>, Failure> {
        let table = self.table(&[name.to_string()])?;
        let hash = |bytes: &[u8]| {
            let mut first = [0; 8];
            first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
            u64::from_le_bytes(first)
        };
        Ok(match table.column(name)? {
            Column::Level(column) => {
                let of_level: Vec<u64> = column.levels().iter().map(|level| hash(level.as_bytes())).collect();
                (0..table.rows()).map(|row| column.codes().get(row).map_or(0, |code| of_level[code])).collect()
            }
            Column::Number(values) | Column::Integer(values) => {
                values.iter().map(|value| hash(value.to_string().as_bytes())).collect()
            }
            _ => (0..table.rows() as u64).collect(),
        })
    }

    /// Lets further columns be asked for.
    pub fn columns(&mut self) -> &mut Columns {
        &mut self.columns
    }

    /// Reads the rows.
    pub fn rows(self) -> Result<(Self, Rows), Failure> {
        let (source, bar) = Bar::watch(self.source);
        let rows = source.rows(&self.columns)?;
        drop(bar);
        Ok((Work { source, ..self }, rows))
    }

    /// Writes the copy, and says what was done.
    pub fn finish(self, changes: &Changes, said: &impl Serialize, text: &str) -> Result<(), Failure> {
        let format = self.format()?;
        let Work { source, copy, target, .. } = self;
        let (source, bar) = Bar::watch(source);
        let written = match &target {
            Some(target) => target.write_with(|file| {
                let mut out = BufWriter::new(file);
                let written = source.copy(changes, format, &mut out)?;
                out.flush().map_err(|e| Failure::unwritable(&copy.output, &e))?;
                Ok(written)
            })?,
            None => match source.copy(changes, format, BufWriter::new(io::stdout())) {
                // Who reads it may stop reading: that is no error.
                Err(evenhand::Error::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                written => written?,
            },
        };
        drop(bar);
        if manner::quiet() {
            return Ok(());
        }
        let said = match copy.summary {
            SummaryForm::Json => {
                let json = serde_json::to_string_pretty(said);
                json.map_err(|e| Failure::new(e.to_string(), "ask for `--summary text`"))? + "\n"
            }
            SummaryForm::Text => {
                let rows = indicatif::HumanCount(written);
                let place = copy.output.display();
                if target.is_some() { format!("{text}{rows} rows are in {place}.\n") } else { text.to_string() }
            }
        };
        match target {
            Some(_) => output::to_stdout(said.as_bytes()),
            None => {
                output::note(said.trim_end());
                Ok(())
            }
        }
    }

    /// The form of the copy: the family of the files, compressed as its name says.
    fn format(&self) -> Result<Format, Failure> {
        if self.source.formats().contains(&Format::Arrow) {
            return Err(Failure::new(
                "the rows are in an Arrow file, which is read and not copied",
                "save it as Parquet first",
            ));
        }
        let extension = output::extension(Some(&self.copy.output));
        let parquet = self.source.formats().contains(&Format::Parquet);
        match (parquet, extension.as_deref()) {
            (true, Some("csv" | "gz" | "zst" | "tsv" | "txt")) => Err(Failure::new(
                format!("{} is named as text, and the rows are from Parquet", self.copy.output.display()),
                "name a .parquet file: types are kept",
            )),
            (false, Some("parquet")) => Err(Failure::new(
                format!("{} is named as Parquet, and the rows are from text", self.copy.output.display()),
                "name a .csv, .csv.gz or .csv.zst file: text is kept as it stands",
            )),
            (true, _) => Ok(Format::Parquet),
            (false, Some("gz")) => Ok(Format::CsvGz),
            (false, Some("zst")) => Ok(Format::CsvZst),
            (false, _) => Ok(Format::Csv),
        }
    }
}
