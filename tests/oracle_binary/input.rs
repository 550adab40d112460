//! The inputs of the peers: tables of text, some cells empty, and the audits made of them.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Batch, Binary, Categorical, Model, Top};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::view::View;

/// One optional text a row, by column.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: BTreeMap<String, Vec<Option<String>>>,
}

pub fn read(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut bytes = Vec::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

impl Table {
    pub fn of_csv(name: &str) -> Self {
        let bytes = read(&format!("{name}.gz"));
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let names: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
        let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
        for row in reader.records() {
            for (column, cell) in columns.iter_mut().zip(&row.unwrap()) {
                column.push(Some(cell.to_string()));
            }
        }
        Table { columns: names.into_iter().zip(columns).collect() }
    }

    /// A case given inline: `null` and "NaN" are missing.
    pub fn of_case(case: &Value) -> Self {
        let cell = |v: &Value| match v {
            Value::Null => None,
            Value::String(s) if s == "NaN" => None,
            Value::String(s) => Some(s.clone()),
            other => Some(other.to_string()),
        };
        let columns = case.as_object().unwrap().iter();
        Table { columns: columns.map(|(k, v)| (k.clone(), v.as_array().unwrap().iter().map(cell).collect())).collect() }
    }

    pub fn column(&self, name: &str) -> &[Option<String>] {
        self.columns.get(name).unwrap_or_else(|| panic!("no column {name}"))
    }

    pub fn has(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    /// The levels of a column in the order in which they appear.
    pub fn levels(&self, name: &str) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        for level in self.column(name).iter().flatten() {
            if !seen.contains(level) {
                seen.push(level.clone());
            }
        }
        seen
    }

    fn filled(&self, text: &str) -> Self {
        let fill = |v: &Option<String>| Some(v.clone().unwrap_or(text.into()));
        Table { columns: self.columns.iter().map(|(k, c)| (k.clone(), c.iter().map(fill).collect())).collect() }
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        self.column(name).iter().map(|v| v.as_ref().map_or(f64::NAN, |t| t.parse().unwrap())).collect()
    }
}

/// Two sides of a comparison: some levels of a column against the others. All other levels are left out.
#[derive(Debug, Clone)]
pub struct Sides {
    pub column: String,
    /// The levels of `u`: unprivileged, group_a, the facet.
    pub unprivileged: Vec<String>,
    /// The levels of `p`: privileged, group_b, the others.
    pub privileged: Vec<String>,
}

/// A missing group, where the peer takes it for unprivileged.
pub const MISSING: &str = "missing";

/// What to audit: who, by which columns.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub input: String,
    /// Attributes, each on its own unless `crossed`.
    pub attributes: Vec<String>,
    pub crossed: bool,
    pub sides: Option<Sides>,
    /// The label takes the decision's place: what is said of labels is asked of them as of decisions.
    pub of_labels: bool,
    pub weight: Option<String>,
    pub strata: Vec<String>,
    pub references: Vec<(String, String)>,
    /// A decision made of the score, as Aequitas names it: `300_abs`, `0.1_pct`, `0.5_val`.
    pub cut: Option<String>,
}

/// Answers questions, each once.
pub struct Desk {
    tables: BTreeMap<String, Table>,
    answers: HashMap<String, Result<View, String>>,
    /// Passed on to the views.
    pub zeros: bool,
    /// What a missing cell of the groups, labels and decisions is taken for.
    pub missing: Option<&'static str>,
}

impl Desk {
    pub fn new(cases: &Value) -> Self {
        let files = ["adult_scored.csv", "adult_lr.csv", "german_lr.csv"].map(|n| (n.to_string(), Table::of_csv(n)));
        let cases = cases.as_object().unwrap().iter().map(|(k, v)| (format!("inline:{k}"), Table::of_case(v)));
        Desk { tables: files.into_iter().chain(cases).collect(), answers: HashMap::new(), zeros: false, missing: None }
    }

    pub fn table(&self, input: &str) -> &Table {
        &self.tables[input]
    }

    /// The audit, or the message with which the input was refused.
    pub fn ask(&mut self, question: &Question) -> Result<View, String> {
        let key = format!("{question:?} {:?}", self.missing);
        if !self.answers.contains_key(&key) {
            let table = &self.tables[&question.input];
            let answer = match self.missing {
                Some(text) => answer(&table.filled(text), question),
                None => answer(table, question),
            };
            self.answers.insert(key.clone(), answer);
        }
        let zeros = self.zeros;
        self.answers[&key].clone().map(|mut view| {
            view.zeros = zeros;
            view
        })
    }
}

fn favorable(column: &[Option<String>]) -> Vec<&str> {
    let has = |text: &str| column.iter().flatten().any(|v| v == text);
    // The peers were told that 1, true and "yes" are favourable; only -1 needs telling here.
    if has("-1") { vec!["1"] } else { Vec::new() }
}

fn answer(table: &Table, question: &Question) -> Result<View, String> {
    let names = if table.has("label") { ["label", "decision"] } else { ["y_true", "y_pred"] };
    let sides = question.sides.as_ref();
    let side = |level: &String| {
        let sides = sides?;
        let name = if sides.unprivileged.contains(level) || level == MISSING { "u" } else { "p" };
        (name == "u" || sides.privileged.contains(level)).then_some(name)
    };
    let rows = table.column(names[0]).len();
    // AIF360 looks at the two sides alone; a missing group is on neither.
    let keep: Vec<bool> = match sides {
        Some(s) => table.column(&s.column).iter().map(|v| v.as_ref().is_none_or(|l| side(l).is_some())).collect(),
        None => vec![true; rows],
    };
    let kept = |name: &str| -> Vec<Option<String>> {
        table.column(name).iter().zip(&keep).filter(|(_, k)| **k).map(|(v, _)| v.clone()).collect()
    };
    let numbers = |name: &str| -> Vec<f64> {
        table.numbers(name).into_iter().zip(&keep).filter(|(_, k)| **k).map(|(v, _)| v).collect()
    };
    let binary = |name: &str| {
        let column = kept(name);
        let texts: Vec<&str> = column.iter().map(|v| v.as_deref().unwrap_or("")).collect();
        Binary::from_text(name, texts, &favorable(table.column(name))).map_err(|e| e.to_string())
    };
    let mut batch = Batch::builder();
    for name in &question.attributes {
        batch = batch.attribute(Categorical::from_options(name, kept(name)));
    }
    if let Some(sides) = sides {
        let values = kept(&sides.column).into_iter().map(|v| v.and_then(|l| side(&l)));
        batch = batch.attribute(Categorical::from_options("side", values));
    }
    for name in &question.strata {
        batch = batch.stratum(Categorical::from_options(format!("stratum {name}"), kept(name)));
    }
    let label = binary(names[0])?;
    let decision = if question.of_labels { label.clone() } else { binary(names[1])? };
    batch = batch.label(label);
    let score = table.has("score").then(|| numbers("score"));
    let model = match (&question.cut, score) {
        (Some(cut), Some(score)) => {
            let (value, kind) = cut.split_once('_').unwrap();
            let value: f64 = value.parse().unwrap();
            match kind {
                "abs" => Model::top("m", score, Top::Count(value as u64)),
                "pct" => Model::top("m", score, Top::Share(value)),
                _ => Model::threshold("m", score, value),
            }
        }
        (_, Some(score)) => Model::decision("m", decision).with_score(score),
        _ => Model::decision("m", decision),
    };
    batch = batch.model(model);
    if let Some(weight) = &question.weight {
        batch = batch.weight(numbers(weight));
    }
    let batch = batch.build().map_err(|e| e.to_string())?;
    let order = if question.crossed { question.attributes.len() } else { 1 };
    let policy = Policy { minimum_group_size: 1, ..Policy::default() };
    // Intervals by the bootstrap are not compared here: ten replicates will do.
    let mut plan = AuditPlan::new().policy(policy).order(order).replicates(10);
    for (attribute, level) in &question.references {
        plan = plan.reference(attribute, level);
    }
    if let Some(sides) = sides {
        plan = plan.attributes(["side"]);
        if table.column(&sides.column).iter().flatten().any(|l| side(l) == Some("p")) {
            plan = plan.reference("side", "p");
        }
    }
    let report = plan.run(&batch).map_err(|e| e.to_string())?;
    let first = if sides.is_some() { "side".into() } else { question.attributes.join(" & ") };
    Ok(View::new(report, first))
}
