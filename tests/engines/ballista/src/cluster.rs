//! A scheduler and its executors: what runs in each, and how they are started, watched, killed and stopped.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use ballista_core::config::BALLISTA_SHUFFLE_READER_FORCE_REMOTE_READ;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::Anyhow;

/// How often an executor says that it lives, how long it may be silent, and how often that is looked at, in seconds. Left to
/// itself Ballista takes 60, 180 and 15. A machine that is busy with other things may be silent for a while.
const HEARTBEAT: u64 = 2;
const SILENCE: u64 = 30;
const LOOK: u64 = 2;

/// Runs a scheduler until it is stopped.
pub async fn schedule(port: u16) -> Anyhow<()> {
    let config = SchedulerConfig {
        bind_port: port,
        external_host: "127.0.0.1".into(),
        executor_timeout_seconds: SILENCE,
        expire_dead_executor_interval_seconds: LOOK,
        no_executors_grace_period_seconds: SILENCE,
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    Ok(start_server(cluster, ([127, 0, 0, 1], port).into(), Arc::new(config)).await?)
}

/// Runs an executor of one core until it is stopped.
pub async fn execute(scheduler: u16, name: &str, work: &str) -> Anyhow<()> {
    let config = ExecutorProcessConfig {
        executor_id: name.into(),
        external_host: Some("127.0.0.1".into()),
        port: free_port()?,
        grpc_port: free_port()?,
        scheduler_host: "127.0.0.1".into(),
        scheduler_port: scheduler,
        vcores: 1,
        work_dir: Some(work.into()),
        memory_pool_size: Some(1 << 30),
        executor_heartbeat_interval_seconds: HEARTBEAT,
        ..ExecutorProcessConfig::default()
    };
    Ok(start_executor_process(Arc::new(config)).await?)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A process of the cluster, which ends with what holds it.
pub struct Member {
    pub name: String,
    process: Child,
    log: PathBuf,
    work: PathBuf,
}

/// The tasks that an executor has begun and ended, as its log tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Tasks {
    pub begun: Vec<String>,
    pub ended: Vec<String>,
}

impl Tasks {
    /// Those that it is in the middle of.
    pub fn open(&self) -> Vec<String> {
        self.begun.iter().filter(|task| !self.ended.contains(task)).cloned().collect()
    }
}

impl Member {
    fn start(folder: &Path, name: &str, arguments: &[&str]) -> Anyhow<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log)?;
        let work = folder.join(name);
        fs::create_dir(&work)?;
        let process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .env("RUST_LOG", "info")
            // What decodes plans is not optimised here, and then needs more than the usual two megabytes.
            .env("RUST_MIN_STACK", (16 << 20).to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        Ok(Member { name: name.into(), process, log, work })
    }

    pub fn said(&self) -> Anyhow<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.log)?).into_owned())
    }

    pub fn tasks(&self) -> Anyhow<Tasks> {
        let said = self.said()?;
        // Whole lines only: the last may still be being written.
        let whole = &said[..said.rfind('\n').map_or(0, |end| end + 1)];
        let of = |what: &str| {
            let task = |line: &str| {
                let rest = &line[line.find(what)? + what.len()..];
                Some(rest[rest.find('[')? + 1..rest.find(']')?].to_owned())
            };
            whole.lines().filter_map(task).collect()
        };
        Ok(Tasks { begun: of("Execute task"), ended: of("Finished task") })
    }

    /// Takes the process and its disk away, as when a machine is lost.
    pub fn kill(&mut self) -> Anyhow<ExitStatus> {
        self.process.kill()?;
        let status = self.process.wait()?;
        fs::remove_dir_all(&self.work)?;
        Ok(status)
    }

    /// Seconds of a core that the process has used.
    pub fn used(&self) -> Anyhow<f64> {
        used(&self.process.id().to_string())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Seconds of a core that a process has used.
pub fn used(process: &str) -> Anyhow<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).ok_or("no times of the process");
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// A scheduler and two executors; all of them are stopped when it is dropped.
pub struct Cluster {
    pub executors: Vec<Member>,
    pub scheduler: Member,
    pub context: SessionContext,
}

impl Cluster {
    pub async fn start(folder: &Path) -> Anyhow<Self> {
        let port = free_port()?.to_string();
        let scheduler = Member::start(folder, "scheduler", &["scheduler", &port])?;
        wait("the scheduler listens", || Ok(std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok())).await?;
        let mut executors = Vec::new();
        for name in ["first", "second"] {
            let work = folder.join(name).display().to_string();
            executors.push(Member::start(folder, name, &["executor", &port, name, &work])?);
        }
        for executor in &executors {
            let wanted = || Ok(executor.said()?.contains("Executor registration succeed"));
            wait(&format!("the executor {} is registered", executor.name), wanted).await?;
        }
        // What one executor hands to the other goes by the network, although both could read the same disk.
        let config = SessionConfig::new_with_ballista().set_str(BALLISTA_SHUFFLE_READER_FORCE_REMOTE_READ, "true");
        let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
        let context = SessionContext::remote_with_state(&format!("df://127.0.0.1:{port}"), state).await?;
        Ok(Cluster { executors, scheduler, context })
    }
}

/// Waits for half a minute at most.
async fn wait(what: &str, mut holds: impl FnMut() -> Anyhow<bool>) -> Anyhow<()> {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds()? {
        if Instant::now() > until {
            return Err(format!("it took more than half a minute until {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
