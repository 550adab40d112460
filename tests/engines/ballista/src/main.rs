//! Counts the rows of a folder of Parquet files by DataFusion in this process, or by a Ballista cluster of a scheduler and two
//! executors that are processes of their own; and again while one of them is killed. The tally must have the digest given.
//!
//! `evenhand-cluster datafusion|ballista FOLDER COLUMNS.json DIGEST`

use std::error::Error;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use evenhand::audit::AuditPlan;
use evenhand::data::Columns;
use evenhand::engine::tally_dataframe;

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const HERE: &str = "127.0.0.1";
/// Seconds between signs of life of an executor, and without one until it is taken for dead.
const BEAT: u64 = 2;
const DEAD: u64 = 10;

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Plans are deep, and frames of a build without optimisation are large.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(1 << 26).build()?;
    let work = async move {
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["scheduler", port] => scheduler(port.parse()?).await,
            ["executor", port, grpc, scheduler, folder] => {
                executor(port.parse()?, grpc.parse()?, scheduler.parse()?, folder).await
            }
            ["datafusion", folder, columns, digest] => in_process(&Question::read(folder, columns, digest)?).await,
            ["ballista", folder, columns, digest] => on_cluster(&Question::read(folder, columns, digest)?).await,
            _ => Err("give: datafusion|ballista FOLDER COLUMNS.json DIGEST".into()),
        }
    };
    runtime.block_on(async { tokio::spawn(work).await })?
}

async fn scheduler(port: u16) -> Done {
    let mut config = SchedulerConfig::default().with_hostname(HERE).with_port(port);
    config.bind_host = HERE.into();
    config.executor_timeout_seconds = DEAD;
    config.expire_dead_executor_interval_seconds = BEAT;
    let cluster = BallistaCluster::new_from_config(&config).await?;
    Ok(start_server(cluster, format!("{HERE}:{port}").parse()?, Arc::new(config)).await?)
}

async fn executor(port: u16, grpc: u16, scheduler: u16, folder: &str) -> Done {
    let config = ExecutorProcessConfig {
        port,
        grpc_port: grpc,
        bind_host: HERE.into(),
        external_host: Some(HERE.into()),
        scheduler_host: HERE.into(),
        scheduler_port: scheduler,
        scheduler_connect_timeout_seconds: 30,
        vcores: 1,
        work_dir: Some(folder.into()),
        executor_heartbeat_interval_seconds: BEAT,
        ..ExecutorProcessConfig::default()
    };
    Ok(start_executor_process(Arc::new(config)).await?)
}

struct Question {
    folder: String,
    plan: AuditPlan,
    digest: String,
}

impl Question {
    fn read(folder: &str, columns: &str, digest: &str) -> Done<Self> {
        let columns: Columns = serde_json::from_str(&std::fs::read_to_string(columns)?)?;
        Ok(Question { folder: folder.into(), plan: AuditPlan::new().columns(columns), digest: digest.into() })
    }

    /// Counts the rows as the context does; the rows counted and how long it took.
    async fn ask(&self, context: &SessionContext) -> Done<(u64, Duration)> {
        let started = Instant::now();
        let frame = context.read_parquet(self.folder.as_str(), ParquetReadOptions::default()).await?;
        let tally = tally_dataframe(&self.plan, frame).await?.tally;
        if tally.digest() != self.digest {
            return Err(format!("the tally has the digest {}, not {}", tally.digest(), self.digest).into());
        }
        Ok((tally.rows(), started.elapsed()))
    }
}

async fn in_process(question: &Question) -> Done {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    let before = seconds(std::process::id());
    let (rows, took) = question.ask(&context).await?;
    let cpu = seconds(std::process::id()) - before;
    println!("datafusion in process: {rows} rows in {:.1} s, {cpu:.1} s of a core; the same tally", took.as_secs_f64());
    Ok(())
}

/// Processes that end with this one.
struct Cluster(Vec<Child>);

impl Cluster {
    fn start(&mut self, arguments: &[&str]) -> Done {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        self.0.push(command.spawn()?);
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.0.iter().map(|process| seconds(process.id())).sum()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &mut self.0 {
            // It may have ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

async fn on_cluster(question: &Question) -> Done {
    let work = std::env::temp_dir().join(format!("evenhand-cluster-{}", std::process::id()));
    let done = count_twice(question, &work.display().to_string()).await;
    // What executors leave of their work.
    let _ = std::fs::remove_dir_all(&work);
    done
}

async fn count_twice(question: &Question, work: &str) -> Done {
    let port = free_port()?;
    let mut cluster = Cluster(Vec::new());
    cluster.start(&["scheduler", &port.to_string()])?;
    wait_for(port).await?;
    for number in 0..2 {
        let ports = [free_port()?, free_port()?].map(|port| port.to_string());
        let folder = format!("{work}/{number}");
        std::fs::create_dir_all(&folder)?;
        cluster.start(&["executor", &ports[0], &ports[1], &port.to_string(), &folder])?;
        wait_for(ports[0].parse()?).await?;
    }
    let config = SessionConfig::new_with_ballista().with_target_partitions(8);
    let state = SessionStateBuilder::new().with_config(config).with_default_features().build();
    let context = SessionContext::remote_with_state(&format!("df://{HERE}:{port}"), state).await?;

    let before = cluster.seconds();
    let (rows, calm) = question.ask(&context).await?;
    let cpu = cluster.seconds() - before;
    let each: Vec<String> = cluster.0[1..].iter().map(|e| format!("{:.1}", seconds(e.id()))).collect();
    println!(
        "ballista, two executors: {rows} rows in {:.1} s, {cpu:.1} s of cores (executors {} s); the same tally",
        calm.as_secs_f64(),
        each.join(" and ")
    );

    let victim = &mut cluster.0[2];
    let kill = async {
        let before = seconds(victim.id());
        tokio::time::sleep(calm / 3).await;
        let worked = seconds(victim.id()) - before;
        victim.kill()?;
        victim.wait()?;
        Done::Ok((worked, Instant::now()))
    };
    let ask = async {
        let answer = question.ask(&context).await?;
        Done::Ok((answer, Instant::now()))
    };
    let (asked, killed) = tokio::join!(ask, kill);
    let (((rows, took), answered), (worked, killed)) = (asked?, killed?);
    if killed >= answered || worked <= 0.0 {
        return Err("the executor was killed too late or had done nothing yet: use more rows".into());
    }
    println!(
        "ballista, one of two executors killed after {worked:.1} s of its work: {rows} rows in {:.1} s; the same tally",
        took.as_secs_f64()
    );
    Ok(())
}

fn free_port() -> Done<u16> {
    Ok(TcpListener::bind((HERE, 0))?.local_addr()?.port())
}

async fn wait_for(port: u16) -> Done {
    for _ in 0..300 {
        if std::net::TcpStream::connect((HERE, port)).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("nothing listens on port {port}").into())
}

/// The seconds of cores that a process has used, as Linux tells them; 0 elsewhere.
fn seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
