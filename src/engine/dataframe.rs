//! DataFusion: the statement runs wherever the data frame's context runs its plans.

use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use super::question::Question;
use super::{Dialect, TableName, sql};
use crate::audit::AuditPlan;
use crate::data::source::{Batches, SourceTally};
use crate::error::{Error, Result};
use crate::report::Report;

/// What the frame is called in the statement.
const TABLE: &str = "rows";

/// Counts the rows of a DataFusion data frame as a plan asks, where its context counts. The tally is that of the same rows
/// in a file, and what a reader of files refuses is refused. Only counts come back.
///
/// The frame may be anything: files of object stores, tables, joins, filters. Nothing is registered in its context, and names
/// of columns are taken letter by letter. It has to be awaited in a runtime of tokio's, as everything of DataFusion's.
///
/// The context may be that of a Ballista cluster (`SessionContext::remote`); then the frame's tables must be what its
/// executors can read by themselves, such as files in a store. It is tried with Ballista 55, an executor lost midway too.
///
/// Counts are exact. Sums of weights and scores are rounded as the engine rounds them. The tally can be merged with others;
/// `files` is empty. [`AuditPlan::audit_dataframe`] makes a report at once.
///
/// # Errors
/// [`Error::MissingColumn`] for a column that the frame does not have, [`Error::Engine`] for what DataFusion says, and as for
/// [`sql`] and [`AuditPlan::tally_counted`].
///
/// # Examples
/// ```
/// use datafusion::prelude::SessionContext;
/// use evenhand::audit::AuditPlan;
/// use evenhand::data::Columns;
/// use evenhand::engine::tally_dataframe;
/// # let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
/// # runtime.block_on(async {
/// let context = SessionContext::new();
/// let frame = context.sql("VALUES ('f', 1), ('f', 0), ('m', 1), (NULL, 1)").await?;
/// let plan = AuditPlan::new().columns(Columns::new().attribute("column1".parse()?).decision("column2"));
/// let counted = tally_dataframe(&plan, frame.clone()).await?;
/// assert_eq!(counted.tally.rows(), 4);
///
/// let report = plan.audit_dataframe(frame).await?;
/// assert_eq!(report.metric("selection_rate")?.group("f")?.value(), Ok(0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn tally_dataframe(plan: &AuditPlan, frame: DataFrame) -> Result<SourceTally> {
    let statement = sql(plan, &TableName::new([TABLE]), Dialect::DataFusion)?;
    let names: Vec<String> = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
    let question = Question::new(&plan.columns, &plan.extra())?;
    if let Some((column, _)) = question.checked().iter().find(|(column, _)| !names.iter().any(|name| name == column)) {
        return Err(Error::missing_column(column, None, names));
    }
    let (state, rows) = frame.into_parts();
    // The statement is understood by a context of its own, whatever the frame's is set to and whatever tables it has, and
    // becomes a plan around the frame's plan: that is what the frame's context runs, and it can travel wherever the frame can.
    let planner = SessionContext::new();
    planner.register_table(TABLE, DataFrame::new(planner.state(), rows).into_view()).map_err(wrong)?;
    let (_, counting) = planner.sql(&statement).await.map_err(wrong)?.into_parts();
    let counting = DataFrame::new(state, counting);
    let schema = Arc::new(counting.schema().as_arrow().clone());
    let batches = counting.collect().await.map_err(wrong)?;
    let counted = plan.tally_cells(&Batches::new("the engine's answer", schema, batches))?;
    Ok(SourceTally { files: Vec::new(), ..counted })
}

impl AuditPlan {
    /// Audits the rows of a DataFusion data frame, counted by [`tally_dataframe`]. The report is that of the same rows in a
    /// file, but that it names no file.
    ///
    /// # Errors
    /// As [`tally_dataframe`] and [`evaluate`](Self::evaluate).
    pub async fn audit_dataframe(&self, frame: DataFrame) -> Result<Report> {
        self.evaluate_read(&tally_dataframe(self, frame).await?)
    }
}

fn wrong(error: DataFusionError) -> Error {
    Error::Engine { problem: error.strip_backtrace() }
}
