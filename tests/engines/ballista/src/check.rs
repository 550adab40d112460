//! The cases: what is asked of which rows, and whether an engine answers as the files do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use datafusion::dataframe::DataFrame;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use evenhand::audit::AuditPlan;
use evenhand::data::Columns;
use evenhand::data::source::{Source, SourceTally};
use evenhand::engine::tally_dataframe;
use serde::Deserialize;

use crate::Anyhow;
use crate::cluster::Cluster;
use crate::compare::same;

/// A question about rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// The files of the rows.
    pub files: Vec<PathBuf>,
    pub columns: Columns,
    /// Groups by rules.
    #[serde(default)]
    groups: Vec<String>,
    /// Where the frame is not of the files themselves: a query that gives their rows, and the files of its tables.
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    tables: BTreeMap<String, PathBuf>,
    /// Whether an executor is killed while it is counted.
    #[serde(default)]
    shaken: bool,
    /// The column that has to be named when the rows are refused.
    #[serde(default)]
    refused: Option<String>,
}

impl Case {
    pub fn all(path: &Path) -> Anyhow<Vec<Self>> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }

    pub fn plan(&self) -> Anyhow<AuditPlan> {
        let plan = AuditPlan::new().columns(self.columns.clone());
        self.groups.iter().try_fold(plan, |plan, group| Ok(plan.group(group.parse()?)))
    }

    pub async fn frame(&self, context: &SessionContext) -> Anyhow<DataFrame> {
        let of = |path: &PathBuf| path.display().to_string();
        let Some(query) = &self.query else {
            let files: Vec<String> = self.files.iter().map(of).collect();
            return Ok(context.read_parquet(files, ParquetReadOptions::default()).await?);
        };
        for (name, path) in &self.tables {
            context.deregister_table(name.as_str())?;
            context.register_parquet(name.as_str(), of(path), ParquetReadOptions::default()).await?;
        }
        Ok(context.sql(query).await?)
    }

    fn local(&self) -> Anyhow<evenhand::Result<SourceTally>> {
        Ok(self.plan()?.tally_files(&Source::open(&self.files)?))
    }

    /// Counts in the context and compares.
    async fn check(&self, context: &SessionContext) -> Anyhow<()> {
        let local = self.local()?;
        let started = Instant::now();
        let counted = tally_dataframe(&self.plan()?, self.frame(context).await?).await;
        let clock = started.elapsed();
        match (&self.refused, local, counted) {
            (None, local, counted) => self.compare(&local?, &counted?, &format!("{:.1} s", clock.as_secs_f64())),
            (Some(column), Err(_), Err(said)) if said.to_string().contains(&format!("`{column}`")) => {
                println!("{:<28} refused: {}", self.name, said.to_string().lines().next().unwrap_or_default());
                Ok(())
            }
            (Some(column), local, counted) => {
                let counted = counted.map(|c| c.tally.rows());
                let local = local.map(|l| l.tally.rows());
                Err(format!("`{column}` has to be refused in both: {local:?} of the files, {counted:?} here").into())
            }
        }
    }

    fn compare(&self, local: &SourceTally, counted: &SourceTally, told: &str) -> Anyhow<()> {
        let far = same(&local.tally, &counted.tally)?;
        if !local.values.keys().eq(counted.values.keys()) {
            return Err(format!("other columns have values: {:?}", counted.values.keys()).into());
        }
        let (rows, cells) = (counted.tally.rows(), counted.tally.occupied());
        let sums = if counted.tally.schema().weighted { format!(", sums within {far:.1e}") } else { String::new() };
        println!("{:<28} {rows} rows, {cells} groups, the same{sums}; {told}", self.name);
        Ok(())
    }

    fn within<T>(&self, done: Anyhow<T>) -> Anyhow<T> {
        done.map_err(|error| format!("{}: {error}", self.name).into())
    }
}

/// DataFusion in this process, on two cores.
pub fn in_process() -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2))
}

/// Every case in DataFusion itself.
pub async fn datafusion(cases: &Path) -> Anyhow<()> {
    let cases = Case::all(cases)?;
    for case in &cases {
        case.within(case.check(&in_process()).await)?;
    }
    println!("datafusion: {} checks hold", cases.len());
    Ok(())
}

/// Every case on a cluster of Ballista, then those in the middle of which an executor dies.
pub async fn ballista(path: &Path) -> Anyhow<()> {
    let folder = tempfile::tempdir()?;
    let mut cluster = Cluster::start(folder.path()).await?;
    let done = on_cluster(&Case::all(path)?, &mut cluster).await;
    if done.is_err() {
        let tail = |said: String| said.lines().rev().take(30).map(str::to_owned).collect::<Vec<_>>();
        for member in std::iter::once(&cluster.scheduler).chain(&cluster.executors) {
            let lines = tail(member.said()?);
            eprintln!("-- {}\n{}", member.name, lines.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
    done
}

async fn on_cluster(cases: &[Case], cluster: &mut Cluster) -> Anyhow<()> {
    for case in cases {
        case.within(case.check(&cluster.context).await)?;
    }
    let tasks: Vec<usize> = cluster.executors.iter().map(|e| Ok(e.tasks()?.ended.len())).collect::<Anyhow<_>>()?;
    println!("tasks of the executors: {tasks:?}");
    if tasks.contains(&0) {
        return Err("one executor counted nothing".into());
    }
    let mut done = cases.len();
    for case in cases.iter().filter(|case| case.shaken) {
        case.within(shaken(case, cluster).await)?;
        done += 1;
    }
    println!("ballista: {done} checks hold");
    Ok(())
}

/// Counts while an executor is killed in the middle of a task, with other tasks of the same count behind it.
async fn shaken(case: &Case, cluster: &mut Cluster) -> Anyhow<()> {
    let Some(mut victim) = cluster.executors.pop() else { return Err("there is no executor left to kill".into()) };
    let Some(survivor) = cluster.executors.first() else { return Err("no executor would be left".into()) };
    let (before, survivor_before) = (victim.tasks()?, survivor.tasks()?);
    let (plan, frame) = (case.plan()?, case.frame(&cluster.context).await?);
    let run = tokio::spawn(async move { tally_dataframe(&plan, frame).await });
    let started = Instant::now();
    loop {
        if run.is_finished() {
            return Err("all was counted before an executor could be killed".into());
        }
        let tasks = victim.tasks()?;
        if tasks.ended.len() > before.ended.len() && !tasks.open().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let status = victim.kill()?;
    let at = started.elapsed();
    if run.is_finished() {
        return Err("all was counted when the executor was killed".into());
    }
    let (tasks, behind) = (victim.tasks()?, survivor.tasks()?.begun.len());
    let (open, lost) = (tasks.open(), &tasks.ended[before.ended.len()..]);
    if open.is_empty() {
        return Err("the executor was killed between two tasks".into());
    }
    let counted = run.await??;
    let clock = started.elapsed();
    // It either fails to give the executor a task, or misses its heartbeats.
    let said = cluster.scheduler.said()?;
    let Some(noticed) = said.lines().find(|line| line.contains(&format!("Removing executor {}", victim.name))) else {
        return Err("the scheduler does not say that it lost the executor".into());
    };
    let told = format!(
        "{} ({status}) at {:.1} s of {:.1} s, in the middle of {open:?}, its {} ended tasks lost with it",
        victim.name,
        at.as_secs_f64(),
        clock.as_secs_f64(),
        lost.len(),
    );
    let again = &survivor.tasks()?.begun[behind..];
    println!("killed {told}");
    println!("the scheduler: {}", noticed.chars().take(160).collect::<String>());
    println!(
        "{} began {} tasks before and {} after: {again:?}",
        survivor.name,
        behind - survivor_before.begun.len(),
        again.len()
    );
    case.compare(&case.local()??, &counted, "with an executor killed")
}
