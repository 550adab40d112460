//! Auditing what an engine has counted.

use super::AuditPlan;
use crate::data::source::{CellSource, Source, SourceTally};
use crate::engine;
use crate::error::Result;
use crate::report::Report;

impl AuditPlan {
    /// Reads what an engine counted by the statement of [`engine::sql`](crate::engine::sql): the tally is that of the
    /// rows. Several files are parts of one answer.
    ///
    /// Counts are exact. Sums of weights and scores are rounded as the engine rounds them.
    ///
    /// # Errors
    /// [`Error::BadTally`](crate::Error::BadTally) with file and row for an answer to another question, rows that could not
    /// be counted and cells that stand twice; [`Error::BadNumber`](crate::Error::BadNumber) for counts and sums that
    /// nothing has; and as for [`tally_files`](Self::tally_files).
    pub fn tally_counted(&self, source: &Source) -> Result<SourceTally> {
        self.tally_cells(source)
    }

    pub(crate) fn tally_cells(&self, source: &dyn CellSource) -> Result<SourceTally> {
        self.check()?;
        let limits = self.limits_of(self.columns.attributes.len(), self.columns.scores.len());
        engine::tally(source, &self.columns_of_rulebook(), &self.extra(), limits)
    }

    /// Audits what an engine counted. The report is that of the rows, but that it names the files of counts.
    ///
    /// # Errors
    /// As [`tally_counted`](Self::tally_counted) and [`evaluate`](Self::evaluate).
    pub fn audit_counted(&self, source: &Source) -> Result<Report> {
        let mut report = self.evaluate_read(&self.tally_counted(source)?)?;
        report.provenance.inputs.iter_mut().for_each(|input| input.format = format!("tally {}", input.format));
        Ok(report)
    }
}
