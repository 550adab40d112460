//! A cluster of Ballista on this machine, and what `tally_dataframe` counts there and in DataFusion itself compared with
//! the tally of the same rows read from files. `tests/engines/run` writes the rows and starts it.

#![forbid(unsafe_code)]

mod check;
mod cluster;
mod compare;
mod rates;

use std::error::Error;

/// What goes wrong here is told and ends the run.
type Anyhow<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Anyhow<()> {
    env_logger::init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["scheduler", port] => runtime.block_on(cluster::schedule(port.parse()?)),
        ["executor", scheduler, name, work] => runtime.block_on(cluster::execute(scheduler.parse()?, name, work)),
        ["check", "datafusion", cases] => runtime.block_on(check::datafusion(cases.as_ref())),
        ["check", "ballista", cases] => runtime.block_on(check::ballista(cases.as_ref())),
        ["rates", engine, cases] => runtime.block_on(rates::measure(engine, cases.as_ref())),
        _ => Err("say `check` or `rates`, an engine, and the file of cases, as `tests/engines/run` does".into()),
    }
}
