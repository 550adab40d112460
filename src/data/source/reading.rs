//! The reading of all files: in units that any thread may take, whose results are put together in their order.

#[cfg(feature = "parquet")]
use std::sync::Arc;

#[cfg(feature = "csv")]
use super::delimited;
use super::gather::Gathered;
use super::intake::{Aim, Outcome};
use super::plan::Plan;
use super::progress::Meter;
use super::spool::{Input, Stamp};
use super::{FileInfo, Format, Source, nothing, schedule, unsupported};
#[cfg(feature = "parquet")]
use super::{digest, intake::Intake, ipc, parquet};
use crate::error::{Error, Place, Result};

impl Source {
    /// Reads every row, by a plan that is settled on the way. `of` is told what the rows gave as soon as all are read, and
    /// works beside the threads that make the hashes which are still missing then: the files it sees may lack one, those
    /// that are answered do not.
    pub(super) fn read<T: Send>(
        &self,
        mut plan: Plan,
        aim: Aim,
        of: impl FnOnce(&Plan, Outcome, &[FileInfo]) -> Result<T> + Send,
    ) -> Result<(Plan, Vec<FileInfo>, T)> {
        let stamps = self.inputs.iter().map(Input::stamp).collect::<Result<Vec<_>>>()?;
        let units = self.units(&stamps)?;
        let first = plan.first_pass();
        let passes = 1 + u64::from(first.is_some());
        let bytes: u64 = stamps.iter().map(|s| s.bytes).sum();
        let meter = Meter::new(passes * bytes, self.listener.clone());
        if let Some(first) = first {
            let mut all = Gathered::new(&first, Aim::Numbers);
            let work = |unit: &Unit| self.work(unit, &first, &stamps, Aim::Numbers, &meter);
            schedule::in_order(units.iter().map(Ok), work, |part| all.add(part, 0, |_| Place::default()))?;
            plan.settle(&first, &all.finish()?.numbers)?;
            meter.restart();
        }
        let mut files = Files::new(&self.inputs, &stamps);
        let conclude = |all: Gathered, files: &[FileInfo]| {
            for reader in &all.readers {
                reader.finish()?;
            }
            of(&plan, all.finish()?, files)
        };
        let mut open = Some((conclude, Gathered::new(&plan, aim)));
        let mut counting = units.iter().rposition(|unit| !unit.part.is_hash()).map_or(0, |last| last + 1);
        let work = |unit: &Unit| Ok((unit.file, self.work(unit, &plan, &stamps, aim, &meter)?));
        let take = |(file, mut part): (usize, Outcome)| {
            files.take(file, &mut part);
            if let Some((_, gathered)) = &mut open {
                // Rows are those of the file already.
                gathered.add(part, 0, |row| self.inputs[file].place(Some(row)))?;
            }
            counting = counting.saturating_sub(1);
            let counted = if counting == 0 { open.take() } else { None };
            Ok(counted.map(|(conclude, gathered)| {
                let files = files.infos.clone();
                move || conclude(gathered, &files)
            }))
        };
        let done = schedule::in_order_beside(units.iter().map(Ok), work, take);
        // Whatever else went wrong, it may be due to that.
        for (input, stamp) in self.inputs.iter().zip(&stamps) {
            input.unchanged(*stamp)?;
        }
        let found = match (done?, open) {
            (Some(found), _) => found?,
            (None, Some((conclude, gathered))) => conclude(gathered, &files.infos)?,
            (None, None) => return Err(Error::Nothing { problem: nothing(&plan), place: Place::default() }),
        };
        Ok((plan, files.infos, found))
    }

    /// The work, in parts that do not depend on the number of threads.
    #[cfg_attr(not(feature = "parquet"), allow(unused_variables, reason = "text is hashed as it is read"))]
    fn units(&self, stamps: &[Stamp]) -> Result<Vec<Unit>> {
        let mut units = Vec::new();
        for (file, (input, stamp)) in self.inputs.iter().zip(stamps).enumerate() {
            match input.format {
                #[cfg(feature = "csv")]
                Format::Csv | Format::CsvGz | Format::CsvZst => units.push(Unit { file, part: Part::Text }),
                #[cfg(feature = "parquet")]
                Format::Parquet => {
                    let footer = Arc::new(parquet::Footer::open(input)?);
                    let groups = footer.units().into_iter();
                    units.extend(groups.map(|groups| Unit { file, part: Part::Groups(footer.clone(), groups) }));
                    units.extend(hashes(file, *stamp));
                }
                #[cfg(feature = "parquet")]
                Format::Arrow => {
                    units.push(Unit { file, part: Part::Batches });
                    units.extend(hashes(file, *stamp));
                }
                #[allow(unreachable_patterns)]
                format => return Err(unsupported(input, format)),
            }
        }
        Ok(units)
    }

    /// Does one unit.
    fn work(&self, unit: &Unit, plan: &Plan, stamps: &[Stamp], aim: Aim, meter: &Meter) -> Result<Outcome> {
        let (input, stamp) = (&self.inputs[unit.file], stamps[unit.file]);
        match &unit.part {
            #[cfg(feature = "csv")]
            Part::Text => delimited::read((input, stamp), plan, aim, &self.options, meter),
            #[cfg(feature = "parquet")]
            Part::Groups(footer, groups) => {
                let intake = Intake::new(plan, input, aim);
                parquet::read(intake, footer, groups, &self.options, stamp, meter)
            }
            #[cfg(feature = "parquet")]
            Part::Batches => ipc::read((input, stamp), plan, aim, &self.options, meter),
            #[cfg(feature = "parquet")]
            Part::Hash(_) if matches!(aim, Aim::Numbers) => Ok(Outcome::default()),
            #[cfg(feature = "parquet")]
            Part::Hash(part) => {
                let hashed = Some(digest::part(input, stamp, *part)?);
                Ok(Outcome { hashed, ..Outcome::default() })
            }
        }
    }
}

/// A part of the work.
#[derive(Debug)]
struct Unit {
    file: usize,
    part: Part,
}

#[derive(Debug)]
enum Part {
    /// A whole text.
    #[cfg(feature = "csv")]
    Text,
    /// Row groups of a Parquet file.
    #[cfg(feature = "parquet")]
    Groups(Arc<parquet::Footer>, parquet::Groups),
    /// The batches of an Arrow file.
    #[cfg(feature = "parquet")]
    Batches,
    /// A part of the hash of a file whose bytes are not all read for its rows.
    #[cfg(feature = "parquet")]
    Hash(u64),
}

impl Part {
    /// Whether it has nothing to do with rows.
    fn is_hash(&self) -> bool {
        match self {
            #[cfg(feature = "parquet")]
            Part::Hash(_) => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }
}

/// The parts of a file's hash: small, and so the last to be begun.
#[cfg(feature = "parquet")]
fn hashes(file: usize, stamp: Stamp) -> impl Iterator<Item = Unit> {
    (0..digest::parts(stamp)).map(move |part| Unit { file, part: Part::Hash(part) })
}

/// What is known of the files so far.
struct Files {
    infos: Vec<FileInfo>,
    #[cfg(feature = "parquet")]
    stamps: Vec<Stamp>,
    /// The hashes of the parts of the file that comes now.
    #[cfg(feature = "parquet")]
    hashed: Vec<digest::Hashed>,
}

impl Files {
    fn new(inputs: &[Input], stamps: &[Stamp]) -> Self {
        let info = |(input, stamp): (&Input, &Stamp)| FileInfo {
            path: input.given.clone(),
            bytes: stamp.bytes,
            rows: 0,
            blake3: String::new(),
            format: input.format,
        };
        Files {
            infos: inputs.iter().zip(stamps).map(info).collect(),
            #[cfg(feature = "parquet")]
            stamps: stamps.to_vec(),
            #[cfg(feature = "parquet")]
            hashed: Vec::new(),
        }
    }

    /// Takes what the next unit of a file says of it.
    fn take(&mut self, of: usize, part: &mut Outcome) {
        let file = &mut self.infos[of];
        file.rows += part.rows;
        if let Some(hash) = part.blake3.take() {
            file.blake3 = hash;
        }
        #[cfg(feature = "parquet")]
        if let Some(hashed) = part.hashed.take() {
            self.hashed.push(hashed);
            // Units come in their order, those of a file one after the other.
            if self.hashed.len() as u64 == digest::parts(self.stamps[of]) {
                file.blake3 = digest::whole(&std::mem::take(&mut self.hashed)).unwrap_or_default();
            }
        }
    }
}
