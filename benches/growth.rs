//! How do time and memory grow with rows, groups, attributes and threads?
//!
//! `cargo bench --bench growth` prints one table. Each line is a process of its own, so that its peak of memory is its own:
//! it counts a chunk of a million rows as often as it takes, then audits what was counted. An exponent of 1 is growth in
//! proportion; it is fitted to the logarithms of the upper half of a column, where what is paid once no longer tells.

#[allow(dead_code, reason = "shared with other benches")]
mod shapes;

use std::process::Command;
use std::time::Instant;

use evenhand::audit::AuditPlan;
use evenhand::data::{Batch, Categorical, Codes};
use evenhand::tally::{Accumulator, Limits};
use shapes::mix;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const CHUNK: usize = 1_000_000;

/// What one line measures.
#[derive(Clone, Copy)]
struct Size {
    rows: usize,
    /// Attributes, and the levels of each.
    attributes: usize,
    levels: usize,
    /// Up to how many attributes are crossed.
    order: usize,
    threads: usize,
}

/// Seconds to count and to audit, and the peak of memory in bytes where the system tells.
#[derive(Clone, Copy)]
struct Cost {
    counting: f64,
    audit: f64,
    memory: Option<f64>,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|a| a == "--one") {
        Some(at) => {
            let sizes: Vec<usize> = arguments[at + 1..].iter().map(|a| a.parse()).collect::<Result<_, _>>()?;
            let &[rows, attributes, levels, order, threads] = sizes.as_slice() else { return Err("five sizes".into()) };
            let cost = measure(Size { rows, attributes, levels, order, threads })?;
            println!("{} {} {}", cost.counting, cost.audit, cost.memory.unwrap_or(f64::NAN));
            Ok(())
        }
        // `cargo bench -- --test` only checks that everything runs.
        None => tables(if arguments.iter().any(|a| a == "--test") { 1000 } else { 1 }),
    }
}

/// All tables, each size divided by `less`.
fn tables(less: usize) -> Outcome<()> {
    let threads = std::thread::available_parallelism()?.get();
    let usual = Size { rows: 10_000_000 / less, attributes: 3, levels: 4, order: 3, threads };
    let few = |size: usize| less > 1 && size > 1000;
    let series: [(&str, Vec<(usize, Size)>); 4] = [
        (
            "rows",
            [100_000, 1_000_000, 10_000_000, 100_000_000]
                .map(|rows| (rows / less, Size { rows: rows / less, ..usual }))
                .to_vec(),
        ),
        (
            "groups",
            [2, 10, 100, 1000, 10_000, 100_000]
                .map(|levels| (levels, Size { attributes: 1, levels, order: 1, ..usual }))
                .into_iter()
                .filter(|(levels, _)| !few(*levels))
                .collect(),
        ),
        (
            "attributes",
            [1, 2, 4, 6, 8, 10, 12]
                .map(|attributes| (attributes, Size { attributes, levels: 2, order: 2, ..usual }))
                .to_vec(),
        ),
        ("threads", [1, 2].map(|threads| (threads, Size { threads, ..usual })).to_vec()),
    ];
    for (name, sizes) in series {
        println!("\n{name:>12}{:>14}{:>14}{:>12}{:>14}", "counting, s", "M rows/s", "audit, s", "peak, MB");
        let mut points = Vec::new();
        for (at, size) in sizes {
            let cost = in_process(size)?;
            let memory = cost.memory.map_or("not told".into(), |m| format!("{:.0}", m / 1e6));
            let speed = size.rows as f64 / cost.counting / 1e6;
            println!("{at:>12}{:>14.4}{speed:>14.0}{:>12.4}{memory:>14}", cost.counting, cost.audit);
            points.push((at as f64, cost));
        }
        let exponent = |of: &dyn Fn(&Cost) -> Option<f64>| {
            let known: Vec<(f64, f64)> = points.iter().filter_map(|(x, c)| Some((x.ln(), of(c)?.ln()))).collect();
            slope(&known[known.len() / 2..]).map_or("-".into(), |b| format!("{b:.2}"))
        };
        let [counting, audit, memory] =
            [exponent(&|c| Some(c.counting)), exponent(&|c| Some(c.audit)), exponent(&|c| c.memory)];
        println!("{:>12}{counting:>14}{:>14}{audit:>12}{memory:>14}", "exponent", "");
    }
    Ok(())
}

/// The slope of the least squares line; with one point there is none.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum();
    (spread > 0.0).then(|| points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / spread)
}

/// One line, in a process of its own.
fn in_process(size: Size) -> Outcome<Cost> {
    let sizes = [size.rows, size.attributes, size.levels, size.order, size.threads];
    let output = Command::new(std::env::current_exe()?).arg("--one").args(sizes.map(|s| s.to_string())).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let numbers: Vec<f64> =
        String::from_utf8(output.stdout)?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let &[counting, audit, memory] = numbers.as_slice() else { return Err("three numbers".into()) };
    Ok(Cost { counting, audit, memory: Some(memory).filter(|m| m.is_finite()) })
}

fn measure(size: Size) -> Outcome<Cost> {
    rayon::ThreadPoolBuilder::new().num_threads(size.threads).build()?.install(|| {
        let rows = size.rows.min(CHUNK);
        let codes = |salt: usize| -> Codes<'static> {
            match size.levels {
                levels @ ..255 => shapes::codes(rows, levels, salt as u64).into(),
                levels => {
                    (0..rows).map(|row| (mix(row, salt as u64) % levels as u64) as u32).collect::<Vec<u32>>().into()
                }
            }
        };
        let (label, decision) = (shapes::codes(rows, 2, 101), shapes::codes(rows, 2, 102));
        let mut batch = Batch::builder().label(&label).decision(&decision);
        for attribute in 0..size.attributes {
            let names = (0..size.levels).map(|level| format!("l{level:06}"));
            batch = batch.attribute(Categorical::from_codes(format!("a{attribute}"), names, codes(attribute + 1))?);
        }
        let batch = batch.build()?;

        let start = Instant::now();
        let mut all = Accumulator::new(Limits::default());
        for _ in 0..size.rows.div_ceil(CHUNK) {
            all.update(&batch)?;
        }
        let tally = all.finish()?.ok_or("no rows")?;
        let counting = start.elapsed().as_secs_f64();
        assert_eq!(tally.rows(), (size.rows.div_ceil(CHUNK) * rows) as u64, "every row is counted once");

        let start = Instant::now();
        std::hint::black_box(AuditPlan::new().order(size.order).evaluate(&tally)?);
        Ok(Cost { counting, audit: start.elapsed().as_secs_f64(), memory: peak() })
    })
}

/// The most memory that this process has held, where Linux tells.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024.0 * line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()?)
}
