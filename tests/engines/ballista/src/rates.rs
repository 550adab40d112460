//! What counting takes, in seconds of a core, as a line of JSON each.

use std::path::Path;
use std::time::Instant;

use evenhand::engine::tally_dataframe;
use serde_json::json;

use crate::Anyhow;
use crate::check::{Case, in_process};
use crate::cluster::{Cluster, used};

/// Counts each case twice: in `datafusion`, in this process, or on `ballista`, where the executors' times are told.
pub async fn measure(engine: &str, cases: &Path) -> Anyhow<()> {
    let folder = tempfile::tempdir()?;
    let cluster = match engine {
        "datafusion" => None,
        "ballista" => Some(Cluster::start(folder.path()).await?),
        _ => return Err(format!("there is no engine `{engine}` here: choose datafusion or ballista").into()),
    };
    let context = cluster.as_ref().map_or_else(in_process, |cluster| cluster.context.clone());
    let seconds = || match &cluster {
        Some(cluster) => cluster.executors.iter().map(|executor| executor.used()).sum(),
        None => used("self"),
    };
    for case in Case::all(cases)? {
        for run in ["first", "again"] {
            let (plan, frame) = (case.plan()?, case.frame(&context).await?);
            let (before, clock): (f64, _) = (seconds()?, Instant::now());
            let counted = tally_dataframe(&plan, frame).await?;
            let clock = clock.elapsed().as_secs_f64();
            let rows = counted.tally.rows();
            println!(
                "{}",
                json!({"shape": case.name, "run": run, "seconds": seconds()? - before, "clock": clock, "rows": rows})
            );
        }
    }
    Ok(())
}
