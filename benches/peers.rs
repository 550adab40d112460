//! The rows and this crate's side of `benches/peers/mitigation.py`, which times Python toolkits on the same rows.
//!
//! `cargo bench --bench peers -- --rows-to FOLDER` writes the rows as raw numbers and `seconds.json`: for each mitigation the
//! least of a few runs. Without a folder it does nothing: it is of no use alone.

use std::path::Path;
use std::time::Instant;

use evenhand::data::{Batch, Categorical};
use evenhand::mitigate::augment::Augment;
use evenhand::mitigate::learn::Logistic;
use evenhand::mitigate::postprocess::thresholds::{Constraint, ThresholdOptimizer};
use evenhand::mitigate::reductions::{Constraint as Kept, ExponentiatedGradient};
use evenhand::mitigate::reweight::Reweight;
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Rows of reweighting and thresholds, of SMOTE, and of training under a constraint.
const ROWS: usize = 1_000_000;
const SMOTE: usize = 100_000;
const TRAINED: usize = 100_000;
const RUNS: usize = 5;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args();
    match arguments.find(|a| a == "--rows-to").and_then(|_| arguments.next()) {
        Some(folder) => run(Path::new(&folder)),
        None => Ok(()),
    }
}

fn run(folder: &Path) -> Outcome<()> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut seconds = serde_json::Map::new();
    let mut tell = |what: &str, about: &str, least: f64| {
        seconds.insert(what.into(), serde_json::json!({ "about": about, "seconds": least }));
    };

    let group: Vec<u8> = (0..ROWS).map(|_| u8::from(rng.gen_bool(0.4))).collect();
    let label: Vec<u8> = group.iter().map(|g| u8::from(rng.gen_bool(if *g == 1 { 0.2 } else { 0.4 }))).collect();
    let score = |l: &u8| -> f64 { 1.0 / (1.0 + (-1.2 * f64::from(*l) - rng.sample::<f64, _>(StandardNormal)).exp()) };
    let score: Vec<f64> = label.iter().map(score).collect();
    write(folder, "group", &group)?;
    write(folder, "label", &label)?;
    write(folder, "score", &bytes(&score))?;
    let codes: &[u8] = &group;
    let attribute = Categorical::from_codes("group", ["a", "b"], codes)?;
    let batch = Batch::builder().attribute(attribute).label(&label[..]).score(&score[..]).build()?;
    tell("reweight", "Kamiran-Calders, 1 M rows", least(RUNS, || Reweight::new().fit(&batch)?.weights(&batch))?);
    for (what, about, constraint) in [
        ("thresholds_demographic_parity", "thresholds, parity, 1 M rows", Constraint::DemographicParity),
        ("thresholds_equalized_odds", "thresholds, odds, 1 M rows", Constraint::EqualizedOdds),
    ] {
        tell(what, about, least(RUNS, || ThresholdOptimizer::new(constraint).fit(&batch))?);
    }

    // One group, a tenth of its rows favourable: what imbalanced-learn's SMOTE evens out.
    let x = Array2::from_shape_fn((SMOTE, 20), |_| rng.sample::<f64, _>(StandardNormal));
    let y: Vec<u8> = (0..SMOTE).map(|row| u8::from(row % 10 == 0)).collect();
    write(folder, "smote_x", &bytes(x.as_slice().unwrap_or_default()))?;
    write(folder, "smote_y", &y)?;
    let one = vec![0u8; SMOTE];
    let batch = Batch::builder().attribute(Categorical::from_codes("all", ["all"], &one)?).label(&y[..]).build()?;
    let smote = Augment::smote().standardize(false);
    tell("smote", "SMOTE, 100,000 x 20", least(RUNS, || smote.fit_resample_array(x.view(), &batch))?);

    let sex: Vec<u8> = (0..TRAINED).map(|_| u8::from(rng.gen_bool(0.4))).collect();
    let x = Array2::from_shape_fn((TRAINED, 10), |(row, at)| {
        rng.sample::<f64, _>(StandardNormal) + if at < 3 { 0.8 * f64::from(sex[row]) } else { 0.0 }
    });
    let y: Vec<u8> = x
        .outer_iter()
        .map(|row| u8::from(row.iter().take(5).sum::<f64>() + 2.0 * rng.sample::<f64, _>(StandardNormal) > 1.0))
        .collect();
    write(folder, "reductions_x", &bytes(x.as_slice().unwrap_or_default()))?;
    write(folder, "reductions_y", &y)?;
    write(folder, "reductions_group", &sex)?;
    let batch = Batch::builder().attribute(Categorical::from_codes("sex", ["m", "f"], &sex)?).label(&y[..]).build()?;
    let gradient = ExponentiatedGradient::new(Kept::DemographicParity).slack(0.02);
    tell(
        "exponentiated_gradient",
        "exponentiated gradient, 100,000",
        least(2, || gradient.fit(&Logistic::new(), x.view(), &batch))?,
    );
    std::fs::write(folder.join("seconds.json"), serde_json::to_string_pretty(&seconds)?)?;
    Ok(())
}

/// The least seconds of some runs.
fn least<T>(runs: usize, work: impl Fn() -> evenhand::Result<T>) -> Outcome<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..runs {
        let start = Instant::now();
        std::hint::black_box(work()?);
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

fn bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Outcome<()> {
    Ok(std::fs::write(folder.join(format!("{name}.bin")), bytes)?)
}
