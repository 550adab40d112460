//! What is asked of every file: columns, and the part that each plays.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::super::bands::Cuts;
use super::super::{
    Bands, BinaryReader, Columns, Condition, Cut, LevelColumn, ModelColumns, Rule, SegmentColumns, Test, Top,
    is_weight, unique,
};
use crate::error::{Error, Place, Result};

/// The columns to read and what becomes of them. Columns are looked up by their index in `columns`.
#[derive(Debug)]
pub(super) struct Plan {
    /// The columns of the files, each once.
    pub columns: Vec<String>,
    /// Attributes first, then strata, then segments and classes.
    pub levels: Vec<LevelPlan>,
    /// How many of the levels are attributes.
    pub attributes: usize,
    /// How many of the levels after them are strata.
    pub strata: usize,
    /// Label and decisions.
    pub binaries: Vec<BinaryPlan>,
    /// Scores and weight, or numbers to be cut.
    pub numbers: Vec<NumberPlan>,
    /// The binary that is the label.
    pub label: Option<usize>,
    /// The number that is the weight.
    pub weight: Option<usize>,
    /// The number that scores forecast.
    pub target: Option<usize>,
    pub models: Vec<ModelPlan>,
    pub segmentations: Vec<SegmentPlan>,
    /// What rows must satisfy.
    pub filter: Vec<FilterPlan>,
    pub missing: Missing,
    /// What means missing in labels, decisions and numbers, where that is not the same.
    marks: Option<Missing>,
}

/// A column that becomes levels.
#[derive(Debug)]
pub(super) struct LevelPlan {
    pub column: usize,
    pub name: String,
    pub rename: BTreeMap<String, String>,
    bands: Option<Bands>,
    /// The bands with their ends known.
    pub cuts: Option<Cuts>,
}

/// A column of two values.
#[derive(Debug)]
pub(super) struct BinaryPlan {
    pub column: usize,
    favorable: Vec<String>,
}

/// A column of numbers.
#[derive(Debug)]
pub(super) struct NumberPlan {
    pub column: usize,
    pub part: NumberPart,
}

/// A condition on a column.
#[derive(Debug, Clone)]
pub(super) struct FilterPlan {
    pub column: usize,
    pub test: Test,
}

/// What numbers are for, and so which are allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NumberPart {
    Score,
    Weight,
    /// What scores forecast.
    Target,
    /// The share of a segment.
    Share,
    /// To be cut into bands.
    Banded,
    /// How many rows a row stands for, or the number of what is wrong with them.
    Count,
    /// Σw or Σw² of the rows that a row stands for.
    Sum,
}

/// A model: the place of its decision among the binaries, of its score among the numbers.
#[derive(Debug)]
pub(super) struct ModelPlan {
    pub name: String,
    pub decision: Option<usize>,
    pub score: Option<usize>,
    pub rule: RulePlan,
}

/// Where the segments of a row come from: a column among the levels, or the shares of segments among the numbers.
#[derive(Debug)]
pub(super) enum SegmentPart {
    Level(usize),
    Shares { names: Vec<String>, numbers: Vec<usize> },
}

/// A segmentation: the places of its columns.
#[derive(Debug)]
pub(super) struct SegmentPlan {
    pub asked: SegmentColumns,
    pub segment: SegmentPart,
    pub class: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum RulePlan {
    Given,
    None,
    AtLeast(f64),
    Top(Top),
    Cut(Cut),
}

impl RulePlan {
    /// The rule of a model that is made from its score.
    pub fn of_score<'a>(self) -> Rule<'a> {
        match self {
            RulePlan::AtLeast(t) => Rule::AtLeast(t),
            RulePlan::Top(top) => Rule::Top(top),
            RulePlan::Cut(cut) => Rule::Cut(cut),
            RulePlan::Given | RulePlan::None => Rule::None,
        }
    }
}

/// The texts that mean missing.
#[derive(Debug, Clone)]
pub(super) struct Missing {
    texts: Vec<String>,
    /// Those of them that are numbers.
    numbers: Vec<f64>,
}

impl Missing {
    fn new(texts: &[String]) -> Self {
        let numbers = texts.iter().filter_map(|t| finite(t)).collect();
        Missing { texts: texts.to_vec(), numbers }
    }

    pub fn has(&self, text: &str) -> bool {
        self.texts.iter().any(|m| m == text)
    }

    #[cfg(feature = "parquet")]
    pub fn has_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }

    pub fn has_number(&self, value: f64) -> bool {
        self.numbers.contains(&value)
    }
}

/// A text as a finite number.
pub(super) fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|v| v.is_finite())
}

impl NumberPart {
    pub fn expected(self) -> &'static str {
        match self {
            NumberPart::Score => "a finite score (leave it empty where it is missing)",
            NumberPart::Target => "a finite target (leave it empty where it is missing)",
            NumberPart::Share => "a share from 0 to 1 (leave those of all segments empty where they are missing)",
            NumberPart::Weight => "a finite weight of at least 0 (if above 0, from 1e-100 to 1e100) in every row",
            NumberPart::Banded => "a finite number, to be cut into bands",
            NumberPart::Count => "a whole number below 2^53 of at least 0 in every row",
            NumberPart::Sum => "a finite sum of at least 0 in every row",
        }
    }

    /// A number for its part: NaN where it is missing, `None` where it is wrong.
    pub fn accept(self, value: f64, missing: &Missing) -> Option<f64> {
        let absent = missing.has_number(value);
        match self {
            NumberPart::Weight => Some(value).filter(|v| is_weight(*v) && !absent),
            // Above 2^53 a number of 64 bits no longer tells one row from the next.
            NumberPart::Count => Some(value).filter(|v| (0.0..9_007_199_254_740_992.0).contains(v) && v.fract() == 0.0),
            NumberPart::Sum => Some(value).filter(|v| v.is_finite() && *v >= 0.0),
            _ if absent => Some(f64::NAN),
            NumberPart::Share => Some(value).filter(|v| (0.0..=1.0).contains(v)),
            _ => Some(value).filter(|v| v.is_finite()),
        }
    }

    /// A missing number for its part, `None` where there must be one.
    pub fn absent(self) -> Option<f64> {
        (!matches!(self, NumberPart::Weight | NumberPart::Count | NumberPart::Sum)).then_some(f64::NAN)
    }

    /// A text, trimmed, for its part. `NaN` among the missing texts is meant for labels and levels: in a
    /// column of numbers it is what a slip in arithmetic leaves behind.
    pub fn read(self, text: &str, missing: &Missing) -> Option<f64> {
        match text.parse::<f64>() {
            Ok(value) if value.is_nan() && self == NumberPart::Banded && missing.has(text) => self.absent(),
            Ok(value) => self.accept(value, missing),
            Err(_) if missing.has(text) => self.absent(),
            Err(_) => None,
        }
    }
}

impl Plan {
    /// What is asked of an audit, which needs something to judge.
    pub fn new(asked: &Columns, extra: &[LevelColumn]) -> Result<Self> {
        let plan = Self::of_rows(asked, extra)?;
        if plan.label.is_none() && plan.models.is_empty() && plan.segmentations.is_empty() {
            let problem = "give a label, a decision, a score or segments";
            return Err(Error::Nothing { problem, place: Place::default() });
        }
        if let Some(target) = asked.target.as_ref().filter(|_| plan.models.iter().all(|m| m.score.is_none())) {
            return Err(Error::setting(
                "the target",
                format!("`{target}`, and there is no score"),
                "a score that forecasts it",
            ));
        }
        Ok(plan)
    }

    /// What is asked of rows.
    pub fn of_rows(asked: &Columns, extra: &[LevelColumn]) -> Result<Self> {
        let mut plan = Plan::empty(&asked.missing);
        let mut attributes: Vec<&LevelColumn> = asked.attributes.iter().collect();
        // An attribute asked for twice in the same way is crossed once.
        for further in extra {
            if !attributes.contains(&further) {
                attributes.push(further);
            }
        }
        plan.attributes = attributes.len();
        for level in attributes.into_iter().chain(&asked.strata) {
            let column = plan.column(&level.name);
            plan.levels.push(LevelPlan::new(column, level)?);
        }
        unique(&plan.levels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>())?;
        plan.label = asked.label.as_ref().map(|name| plan.binary(name, asked));
        plan.strata = asked.strata.len();
        for segments in &asked.segments {
            segments.check()?;
            let segment = match segments.parts.is_empty() {
                true => SegmentPart::Level(plan.level(&segments.column)?),
                false => SegmentPart::Shares {
                    names: segments.parts.keys().cloned().collect(),
                    numbers: segments.parts.values().map(|name| plan.number(name, NumberPart::Share)).collect(),
                },
            };
            let class = segments.class.as_ref().or(segments.earlier.as_ref());
            let class = class.map(|name| plan.level(name)).transpose()?;
            plan.segmentations.push(SegmentPlan { asked: segments.clone(), segment, class });
        }
        for model in asked.models()? {
            let model = plan.model(model, asked)?;
            plan.models.push(model);
        }
        let models = plan.models.iter().map(|m| m.name.as_str());
        unique(&models.chain(asked.segments.iter().map(|s| s.column.as_str())).collect::<Vec<_>>())?;
        if let Some(name) = &asked.weight {
            plan.weight = Some(plan.number(name, NumberPart::Weight));
        }
        plan.target = asked.target.as_ref().map(|name| plan.number(name, NumberPart::Target));
        if let Some(filter) = &asked.filter {
            filter.check(&asked.missing)?;
            filter.conditions().iter().for_each(|condition| plan.condition(condition));
        }
        let binaries: Vec<&str> = asked.label.iter().chain(&asked.decisions).map(String::as_str).collect();
        if let Some(name) = asked.favorable.keys().find(|name| !binaries.contains(&name.as_str())) {
            return Err(Error::unknown("label or decision", name, " with favourable values", binaries));
        }
        Ok(plan)
    }

    pub fn empty(missing: &[String]) -> Self {
        Plan {
            columns: Vec::new(),
            levels: Vec::new(),
            attributes: 0,
            strata: 0,
            binaries: Vec::new(),
            numbers: Vec::new(),
            label: None,
            weight: None,
            target: None,
            models: Vec::new(),
            segmentations: Vec::new(),
            filter: Vec::new(),
            missing: Missing::new(missing),
            marks: None,
        }
    }

    /// Says what means missing in labels, decisions and numbers.
    pub fn set_marks(&mut self, texts: &[String]) {
        self.marks = Some(Missing::new(texts));
    }

    /// What means missing in labels, decisions and numbers.
    pub fn marks(&self) -> &Missing {
        self.marks.as_ref().unwrap_or(&self.missing)
    }

    fn column(&mut self, name: &str) -> usize {
        self.columns.iter().position(|c| c == name).unwrap_or_else(|| {
            self.columns.push(name.into());
            self.columns.len() - 1
        })
    }

    /// Adds a column of levels as they stand.
    pub fn level(&mut self, name: &str) -> Result<usize> {
        let column = self.column(name);
        self.levels.push(LevelPlan::new(column, &LevelColumn::plain(name))?);
        Ok(self.levels.len() - 1)
    }

    pub fn binary(&mut self, name: &str, asked: &Columns) -> usize {
        let column = self.column(name);
        self.binaries.iter().position(|b| b.column == column).unwrap_or_else(|| {
            let favorable = asked.favorable.get(name).cloned().unwrap_or_default();
            self.binaries.push(BinaryPlan { column, favorable });
            self.binaries.len() - 1
        })
    }

    pub fn number(&mut self, name: &str, part: NumberPart) -> usize {
        let column = self.column(name);
        self.numbers.iter().position(|n| n.column == column && n.part == part).unwrap_or_else(|| {
            self.numbers.push(NumberPlan { column, part });
            self.numbers.len() - 1
        })
    }

    fn condition(&mut self, condition: &Condition) {
        let column = self.column(&condition.column);
        self.filter.push(FilterPlan { column, test: condition.test.clone() });
    }

    fn model(&mut self, model: ModelColumns, asked: &Columns) -> Result<ModelPlan> {
        let rule = match (&model.decision, model.threshold, model.top) {
            (Some(_), ..) => RulePlan::Given,
            (None, Some(t), _) if !t.is_finite() => {
                return Err(Error::setting("the threshold", t, "a finite number"));
            }
            (None, Some(t), _) => RulePlan::AtLeast(t),
            (None, None, Some(top)) => RulePlan::Top(top),
            (None, None, None) => RulePlan::None,
        };
        Ok(ModelPlan {
            decision: model.decision.map(|name| self.binary(&name, asked)),
            score: model.score.map(|name| self.number(&name, NumberPart::Score)),
            name: model.name,
            rule,
        })
    }

    /// The pass that must come first, where a cut depends on all rows: quantiles, the best k.
    pub fn first_pass(&self) -> Option<Plan> {
        let mut first = Plan { missing: self.missing.clone(), ..Plan::empty(&[]) };
        for level in self.levels.iter().filter(|l| matches!(l.bands, Some(Bands::Quantiles(_)))) {
            first.number(&self.columns[level.column], NumberPart::Banded);
        }
        for model in self.models.iter().filter(|m| matches!(m.rule, RulePlan::Top(_))) {
            if let Some(score) = model.score {
                first.number(&self.columns[self.numbers[score].column], NumberPart::Score);
            }
        }
        if first.numbers.is_empty() {
            return None;
        }
        for FilterPlan { column, test } in &self.filter {
            let column = first.column(&self.columns[*column]);
            first.filter.push(FilterPlan { column, test: test.clone() });
        }
        Some(first)
    }

    /// Makes the cuts from what the first pass found.
    pub fn settle(&mut self, first: &Plan, numbers: &[Vec<f64>]) -> Result<()> {
        let found = |column: &str, part: NumberPart| {
            let of = |n: &NumberPlan| n.part == part && first.columns[n.column] == column;
            first.numbers.iter().position(of).and_then(|at| numbers.get(at)).map_or(&[][..], Vec::as_slice)
        };
        for level in &mut self.levels {
            if let Some(bands @ Bands::Quantiles(_)) = &level.bands {
                let numbers = || Ok(found(&self.columns[level.column], NumberPart::Banded).to_vec());
                level.cuts = Some(bands.resolve(numbers)?);
            }
        }
        for model in &mut self.models {
            if let (RulePlan::Top(top), Some(score)) = (model.rule, model.score) {
                let scores = found(&self.columns[self.numbers[score].column], NumberPart::Score);
                // Nobody selected is a threshold that nothing reaches.
                model.rule = match Cut::find(top, scores.iter().copied())? {
                    Some(cut) => RulePlan::Cut(cut),
                    None => RulePlan::AtLeast(f64::MAX),
                };
            }
        }
        Ok(())
    }

    /// Fresh readers of the binary columns.
    pub fn readers(&self) -> Vec<BinaryReader> {
        let reader = |b: &BinaryPlan| {
            BinaryReader::new(&self.columns[b.column], b.favorable.clone(), self.marks().texts.clone())
        };
        self.binaries.iter().map(reader).collect()
    }

    /// Where each column stands among the names of a file.
    pub fn locate(&self, names: &[String], file: &std::path::Path) -> Result<Vec<usize>> {
        let known: FxHashMap<&str, usize> = names.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
        let find = |column: &String| {
            let at = known.get(column.as_str()).copied();
            at.ok_or_else(|| Error::missing_column(column, Some(file.into()), names.to_vec()))
        };
        self.columns.iter().map(find).collect()
    }
}

impl LevelPlan {
    fn new(column: usize, level: &LevelColumn) -> Result<Self> {
        let cuts = match &level.bands {
            Some(bands @ Bands::Ranges(_)) => Some(bands.resolve(|| Ok(Vec::new()))?),
            _ => None,
        };
        let LevelColumn { name, bands, rename } = level.clone();
        Ok(LevelPlan { column, name, rename, bands, cuts })
    }

    /// Whether the levels have an order of their own.
    pub fn ordered(&self) -> bool {
        self.bands.is_some()
    }
}
