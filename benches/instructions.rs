//! How many instructions does a row take? A guard: seconds depend on the machine and its neighbours, instructions do not.
//!
//! `cargo bench --bench instructions --profile test` runs each kernel once and three times over the same rows under
//! valgrind's callgrind; half of the difference is what one run takes. What it took before stands in
//! `benches/instructions.txt`, written by the same command with `-- --write`; a tenth more fails. The profile is the one
//! that figures were written with, and the compiler must be too: under another one they are shown, and nothing fails.

#[allow(dead_code, reason = "shared with other benches")]
mod shapes;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use evenhand::inference::bootstrap::Bootstrap;
use evenhand::metrics::{Confidence, scores::auc_by_group};
use evenhand::tally::Cell;
use shapes::{codes, data, evenhand, mix};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ROWS: usize = 100_000;
/// The bootstrap's replicates of so many groups; it knows no rows.
const REPLICATES: usize = 200;
const GROUPS: usize = 60;
/// What is more than this share above what it was is a step back.
const TOLERATED: f64 = 0.1;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let asked = |option: &str| arguments.iter().any(|a| a == option);
    let outcome = match arguments.iter().position(|a| a == "--one") {
        Some(at) => one(&arguments[at + 1..]).map(|_| ()),
        None if asked("--test") => {
            kernels().iter().for_each(|(_, run)| assert!(run() > 0));
            Ok(())
        }
        None => compare(asked("--write")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

type Kernel = (&'static str, Box<dyn Fn() -> usize + Send + Sync>);

/// What is guarded; each answers how many units of its work it has done.
fn kernels() -> Vec<Kernel> {
    let tallies = data(ROWS).into_iter().map(|(name, columns, shape)| -> Kernel {
        (name, Box::new(move || std::hint::black_box(evenhand(&columns, shape)) as usize))
    });
    let (labels, groups) = (codes(ROWS, 2, 1), codes(ROWS, GROUPS, 2));
    let scores: Vec<f32> = (0..ROWS).map(|row| (mix(row, 3) % 1_000_003) as f32).collect();
    let groups: Vec<u16> = groups.into_iter().map(u16::from).collect();
    let auc = move || {
        std::hint::black_box(auc_by_group(&scores, &labels, &groups, GROUPS, Confidence::at(0.95)));
        ROWS
    };
    let cells: Vec<[Cell; 4]> = (0..GROUPS as u64)
        .map(|group| [1, 2, 3, 4].map(|cell| Cell::of_rows((1000 + mix(group as usize, cell) % 1000) as f64)))
        .collect();
    let bootstrap = move || {
        let groups: Vec<&[Cell]> = cells.iter().map(<[Cell; 4]>::as_slice).collect();
        let share = |_: usize, cells: &[Cell]| Some(cells[0].weight / cells.iter().map(|c| c.weight).sum::<f64>());
        std::hint::black_box(Bootstrap { replicates: REPLICATES, seed: 1 }.run(&groups, share));
        REPLICATES * GROUPS
    };
    tallies.chain([("AUC by group", Box::new(auc) as _), ("bootstrap of a group", Box::new(bootstrap) as _)]).collect()
}

/// Runs one kernel, so many times, on one thread.
fn one(arguments: &[String]) -> Outcome<usize> {
    let [name, times] = arguments else { return Err("the name of a kernel and how often to run it".into()) };
    let times: usize = times.parse()?;
    let kernels = kernels();
    let (_, run) = kernels.iter().find(|(own, _)| own == name).ok_or_else(|| format!("there is no kernel `{name}`"))?;
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    (0..times).try_fold(0, |_, _| Ok(one.install(run)))
}

/// Measures all kernels and holds them against what they took before, or writes it down.
fn compare(write: bool) -> Outcome<()> {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt");
    let before = std::fs::read_to_string(&place).unwrap_or_default();
    let compiler = compiler()?;
    let same_compiler = before.lines().any(|line| line == compiler);
    let before =
        |name: &str| -> Option<f64> { before.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()) };
    let (mut now, mut worse) = (format!("{compiler}\n"), Vec::new());
    println!("{:<28}{:>14}{:>12}{:>9}", "instructions", "now", "before", "ratio");
    for (name, run) in kernels() {
        let taken = (instructions(name, 3)? - instructions(name, 1)?) / 2.0 / run() as f64;
        writeln!(now, "{name:<28}{taken:>10.2}")?;
        let ratio = before(name).map(|before| taken / before);
        let shown = |value: Option<f64>| value.map_or("-".into(), |v| format!("{v:.2}"));
        println!("{name:<28}{taken:>14.2}{:>12}{:>9}", shown(before(name)), shown(ratio));
        if !write && ratio.is_none_or(|ratio| ratio > 1.0 + TOLERATED) {
            worse.push(name);
        }
    }
    if write {
        std::fs::write(place, now)?;
    } else if !same_compiler {
        println!("The figures before are not those of {compiler}: nothing is held against them.");
    } else if !worse.is_empty() {
        return Err(format!(
            "more instructions than before for: {}. Mend that, or write the new figures by `-- --write` and say why.",
            worse.join(", ")
        )
        .into());
    }
    Ok(())
}

/// The compiler's name and version.
fn compiler() -> Outcome<String> {
    let output = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_string())
}

/// The instructions of a process that runs a kernel so many times.
fn instructions(name: &str, times: usize) -> Outcome<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--one", name, &times.to_string()])
        .output()
        .map_err(|e| format!("valgrind cannot be started ({e}): install it"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    match (output.status.success(), collected) {
        (true, Some((_, count))) => Ok(count.trim().parse()?),
        _ => Err(format!("valgrind failed: {told}").into()),
    }
}
