//! Auditing files: their columns play the parts that the plan gives them.

use std::borrow::Cow;

use super::{AuditPlan, Rulebook, evaluate};
use crate::data::source::{FileInfo, Source, SourceTally};
use crate::data::{Columns, LevelColumn, Top};
use crate::error::Result;
use crate::report::{InputFile, Report, words};

impl AuditPlan {
    /// Counts files, to be merged with others and evaluated later. Columns that only the rules of named
    /// groups read are counted too.
    ///
    /// # Errors
    /// As [`Source::tally`].
    pub fn tally_files(&self, source: &Source) -> Result<SourceTally> {
        self.read_files(source, |_| ()).map(|(tally, ())| tally)
    }

    /// Counts files, and makes something of the counts.
    fn read_files<T: Send>(
        &self,
        source: &Source,
        then: impl FnOnce(&SourceTally) -> T + Send,
    ) -> Result<(SourceTally, T)> {
        self.check()?;
        let limits = self.limits_of(self.columns.attributes.len(), self.columns.scores.len());
        source.tally_then(&self.columns_of_rulebook(), &self.extra(), limits, then)
    }

    /// The columns that only the rules of named groups read.
    pub(crate) fn extra(&self) -> Vec<LevelColumn> {
        let mut extra: Vec<LevelColumn> = Vec::new();
        for column in self.groups.iter().flat_map(|g| g.columns()) {
            let known = self.columns.attributes.iter().chain(&extra).any(|c| c.name == column);
            if !known {
                extra.push(LevelColumn::plain(column));
            }
        }
        extra
    }

    /// Local Law 144 looks at who scores above the median where nothing else is decided.
    pub(super) fn columns_of_rulebook(&self) -> Cow<'_, Columns> {
        let columns = &self.columns;
        let decided = !(columns.decisions.is_empty() && columns.thresholds.is_empty() && columns.top.is_empty());
        match self.policy.rulebook {
            Some(Rulebook::NycLocalLaw144) if !decided && !columns.scores.is_empty() => {
                Cow::Owned(Columns { top: vec![Top::AboveMedian], ..columns.clone() })
            }
            _ => Cow::Borrowed(columns),
        }
    }

    /// Audits files. The report names them with size and hash.
    ///
    /// # Errors
    /// As [`tally_files`](Self::tally_files) and [`evaluate`](Self::evaluate).
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::{AuditPlan, Policy};
    /// use evenhand::data::{Columns, source::Source};
    /// let columns = Columns::new()
    ///     .attribute("sex".parse()?)
    ///     .label("responded")
    ///     .decision("targeted")
    ///     .score("propensity");
    /// let plan = AuditPlan::new().columns(columns).policy(Policy::preset("four-fifths")?);
    /// let report = plan.audit_files(&Source::open(&["datasets/adult_offers.csv.gz"])?)?;
    /// assert_eq!(report.data.rows, 24_421);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn audit_files(&self, source: &Source) -> Result<Report> {
        let (read, report) = self.read_files(source, |read| self.evaluate_read(read))?;
        let mut report = report?;
        // It was begun before all hashes were known.
        report.provenance.inputs = read.files.iter().map(input_file).collect();
        Ok(report)
    }

    /// Audits what was read of files.
    pub(crate) fn evaluate_read(&self, read: &SourceTally) -> Result<Report> {
        let SourceTally { tally, files, filtered, .. } = read;
        let mut plan = self.clone();
        if plan.attributes.is_none() {
            plan.attributes = Some(self.columns.attributes.iter().map(|c| c.name.clone()).collect());
        }
        let mut report = evaluate::evaluate(&plan, tally, files.iter().map(input_file).collect())?;
        if let Some(filtered) = filtered {
            let note = words::filtered(filtered, report.data.rows);
            report.models.iter_mut().for_each(|model| model.notes.insert(0, note.clone()));
        }
        report.data.filter.clone_from(filtered);
        Ok(report)
    }
}

fn input_file(file: &FileInfo) -> InputFile {
    InputFile {
        path: file.path.display().to_string(),
        format: file.format.to_string(),
        bytes: file.bytes,
        rows: file.rows,
        blake3: file.blake3.clone(),
    }
}
