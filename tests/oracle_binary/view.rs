//! Reads a report by what the peers call things.

use std::rc::Rc;

use evenhand::audit::Comparison;
use evenhand::metrics::Estimate;
use evenhand::metrics::catalog::{METRICS, criterion_entry};
use evenhand::report::{AttributeTable, Disparity, GroupResult, ModelReport, Report};

/// A figure of ours, or why there is none.
pub type Figure = Result<f64, String>;

/// A metric of ours under a peer's name: itself or its complement.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    pub metric: &'static str,
    pub complement: bool,
}

impl Rate {
    /// Not a metric, but how many there are.
    fn is_size(self) -> bool {
        ["rows", "weight"].contains(&self.metric)
    }
}

/// What the peers call our metrics.
pub fn rate(name: &str) -> Option<Rate> {
    let is = |metric| Some(Rate { metric, complement: false });
    let not = |metric| Some(Rate { metric, complement: true });
    match name {
        "selection_rate" | "mean_prediction" | "pprev" | "demographic_parity" => is("selection_rate"),
        "base_rate" | "prev" => is("base_rate"),
        "tpr" | "true_positive_rate" | "recall_score" | "equal_opportunity" => is("true_positive_rate"),
        "fpr" | "false_positive_rate" => is("false_positive_rate"),
        "tnr" | "true_negative_rate" => is("true_negative_rate"),
        "fnr" | "false_negative_rate" => is("false_negative_rate"),
        "precision" | "precision_score" | "positive_predictive_value" => is("precision"),
        "npv" | "negative_predictive_value" => is("negative_predictive_value"),
        "fdr" | "false_discovery_rate" => is("false_discovery_rate"),
        "for" | "false_omission_rate" => is("false_omission_rate"),
        "accuracy" | "accuracy_score" => is("accuracy"),
        "error_rate" | "zero_one_loss" => not("accuracy"),
        "f1" | "f1_score" => is("f1"),
        "balanced_accuracy" | "balanced_accuracy_score" => is("balanced_accuracy"),
        "mcc" | "matthews_corrcoef" => is("mcc"),
        "mean_score" => is("mean_score"),
        "generalized_true_positive_rate" => is("mean_score_positives"),
        "generalized_false_positive_rate" => is("mean_score_negatives"),
        "generalized_false_negative_rate" => not("mean_score_positives"),
        "generalized_true_negative_rate" => not("mean_score_negatives"),
        // Counts: not metrics of ours, but the support that every estimate shows.
        "count" | "group_size" => is("rows"),
        "num_instances" => is("weight"),
        "tp" | "num_true_positives" => is("tp"),
        "fp" | "num_false_positives" => is("fp"),
        "fn" | "num_false_negatives" => is("fn"),
        "tn" | "num_true_negatives" => is("tn"),
        "pp" | "num_pred_positives" => is("pp"),
        "pn" | "num_pred_negatives" => is("pn"),
        "group_label_pos" | "num_positives" => is("positives"),
        "group_label_neg" | "num_negatives" => is("negatives"),
        _ => None,
    }
}

/// The rate whose numerator a count is, and whether it is the rest of the denominator.
fn counted(name: &str) -> Option<(&'static str, bool)> {
    Some(match name {
        "tp" => ("true_positive_rate", false),
        "fn" => ("true_positive_rate", true),
        "fp" => ("false_positive_rate", false),
        "tn" => ("false_positive_rate", true),
        "pp" => ("selection_rate", false),
        "pn" => ("selection_rate", true),
        "positives" => ("base_rate", false),
        "negatives" => ("base_rate", true),
        _ => return None,
    })
}

/// One table of one report.
#[derive(Debug, Clone)]
pub struct View {
    report: Rc<Report>,
    table: String,
    /// Takes a rate over nobody for 0, as scikit-learn does: to show that this alone explains a difference.
    pub zeros: bool,
}

fn figure(estimate: &Estimate) -> Figure {
    estimate.value().map_err(|reason| reason.to_string())
}

impl View {
    pub fn new(report: Report, table: String) -> Self {
        View { report: Rc::new(report), table, zeros: false }
    }

    /// The same report, by another attribute.
    pub fn by(&self, attribute: &str) -> Self {
        View { table: attribute.into(), ..self.clone() }
    }

    fn model(&self) -> &ModelReport {
        &self.report.models[0]
    }

    pub fn table(&self) -> &AttributeTable {
        self.model().table(&self.table).unwrap()
    }

    pub fn groups(&self) -> Vec<String> {
        self.table().groups.iter().map(|g| g.group.clone()).collect()
    }

    fn result(&self, group: &str) -> Option<&GroupResult> {
        self.table().groups.iter().find(|g| g.group == group)
    }

    /// The interval of a group's figure.
    pub fn interval(&self, group: &str, metric: &str) -> Option<(f64, f64)> {
        self.result(group)?.metrics[metric].interval()
    }

    pub fn overall(&self, rate: Rate) -> Figure {
        let all = &self.model().overall;
        let data = &self.report.data;
        self.read(rate, |m| all.get(m).cloned(), (data.rows as f64, data.weight.unwrap_or(data.rows as f64)))
    }

    pub fn group(&self, rate: Rate, group: &str) -> Figure {
        let Some(found) = self.result(group) else { return Err(format!("no group {group}")) };
        self.read(rate, |m| found.metrics.get(m).cloned(), (found.rows as f64, found.weight))
    }

    /// A group's figure within a stratum.
    pub fn within(&self, rate: Rate, group: &str, stratum: &str) -> Figure {
        let found = self.result(group).and_then(|g| g.strata.get(stratum));
        let Some(found) = found else { return Err(format!("no stratum {stratum} of {group}")) };
        let support = found["selection_rate"].support;
        self.read(rate, |m| found.get(m).cloned(), (support.rows, support.weight))
    }

    fn read(&self, rate: Rate, get: impl Fn(&str) -> Option<Estimate>, (rows, weight): (f64, f64)) -> Figure {
        if rate.is_size() {
            return Ok(if rate.metric == "rows" { rows } else { weight });
        }
        if let Some((metric, rest)) = counted(rate.metric) {
            let estimate = get(metric).unwrap();
            let share = estimate.value.unwrap_or(0.0);
            return Ok(estimate.support.weight * if rest { 1.0 - share } else { share });
        }
        let value = figure(&get(rate.metric).ok_or_else(|| format!("no metric {}", rate.metric))?);
        let value = if self.zeros { value.or_else(|_| zero(rate.metric, &get)) } else { value }?;
        Ok(if rate.complement { 1.0 - value } else { value })
    }

    fn disparity(
        &self,
        metric: &str,
        group: Option<&str>,
        comparison: Comparison,
        against: &str,
    ) -> Option<&Disparity> {
        self.table().disparities.iter().find(|d| {
            d.metric == metric
                && d.group.as_deref() == group
                && d.comparison == comparison
                && d.against == against
                && d.stratum.is_none()
        })
    }

    /// A comparison under its own name in the report.
    pub fn named(&self, metric: &str, group: Option<&str>, comparison: Comparison, against: &str) -> Figure {
        if self.zeros && !metric.starts_with("conditional") {
            return self.of_zeros(metric, group, comparison, against);
        }
        match self.disparity(metric, group, comparison, against) {
            Some(d) => figure(&d.estimate),
            None => Err(format!("no comparison of {metric}")),
        }
    }

    /// The same made of the groups' figures, those over nobody being 0.
    fn of_zeros(&self, metric: &str, group: Option<&str>, comparison: Comparison, against: &str) -> Figure {
        let parts = match criterion_entry(metric) {
            Some(entry) => entry.metrics.to_vec(),
            None => vec![METRICS.iter().find(|m| m.name == metric).unwrap().name],
        };
        let one = |metric: &&'static str| {
            let rate = Rate { metric, complement: false };
            let Some(group) = group else {
                return spread(self.groups().iter().map(|g| self.group(rate, g)), comparison);
            };
            // Without the other group its rates, too, are over nobody.
            let other = if against == "overall" { self.overall(rate) } else { self.group(rate, against).or(Ok(0.0)) };
            compared(self.group(rate, group).or(Ok::<f64, String>(0.0))?, other?, comparison)
        };
        let all = parts.iter().map(one).collect::<Result<Vec<f64>, _>>()?;
        let sizes = || all.iter().map(|v| v.abs());
        Ok(match (metric, comparison) {
            ("equalized_odds_mean", _) => sizes().sum::<f64>() / 2.0,
            ("equalized_odds", Comparison::Difference) => sizes().fold(0.0, f64::max),
            _ => all.into_iter().reduce(f64::min).unwrap(),
        })
    }

    /// The p-value of a difference, with its test.
    pub fn test(&self, metric: &str, group: Option<&str>, against: &str) -> Option<(f64, &str)> {
        let found = self.disparity(metric, group, Comparison::Difference, against)?;
        Some((found.p_value?, found.test.as_deref()?))
    }

    pub fn interval_against(
        &self,
        metric: &str,
        group: &str,
        comparison: Comparison,
        against: &str,
    ) -> Option<(f64, f64)> {
        self.disparity(metric, Some(group), comparison, against)?.estimate.interval()
    }

    /// A group against the reference, the rest or the whole. The ratio of a complement is no figure of ours:
    /// it is made of the two.
    pub fn against(&self, rate: Rate, group: &str, comparison: Comparison, against: &str) -> Figure {
        if counted(rate.metric).is_none() && !rate.complement && !rate.is_size() {
            return self.named(rate.metric, Some(group), comparison, against);
        }
        let other = if against == "overall" { self.overall(rate)? } else { self.group(rate, against)? };
        compared(self.group(rate, group)?, other, comparison)
    }

    /// Max − min or min / max between the groups.
    pub fn between(&self, rate: Rate, comparison: Comparison) -> Figure {
        if counted(rate.metric).is_none() && !rate.is_size() && !(rate.complement && comparison == Comparison::Ratio) {
            return self.named(rate.metric, None, comparison, "between_groups");
        }
        spread(self.groups().iter().map(|g| self.group(rate, g)), comparison)
    }

    /// Max − min or min / max between the groups within a stratum.
    pub fn between_within(&self, rate: Rate, comparison: Comparison, stratum: &str) -> Figure {
        if rate.is_size() || self.zeros {
            return spread(self.groups().iter().map(|g| self.within(rate, g, stratum)), comparison);
        }
        let found =
            self.table().disparities.iter().find(|d| {
                d.metric == rate.metric && d.stratum.as_deref() == Some(stratum) && d.comparison == comparison
            });
        found.map_or(Err(format!("no comparison in {stratum}")), |d| figure(&d.estimate))
    }

    /// The largest distance of a group to the whole, or the smallest ratio, whichever way round.
    pub fn to_overall(&self, rate: Rate, comparison: Comparison) -> Figure {
        let each: Vec<f64> =
            self.groups().iter().map(|g| self.against(rate, g, comparison, "overall")).collect::<Result<_, _>>()?;
        Ok(match comparison {
            Comparison::Difference | Comparison::Value => each.iter().fold(0.0, |most, v| v.abs().max(most)),
            Comparison::Ratio => each.iter().fold(f64::INFINITY, |least, v| v.min(1.0 / v).min(least)),
        })
    }
}

fn compared(a: f64, b: f64, comparison: Comparison) -> Figure {
    match comparison {
        Comparison::Difference | Comparison::Value => Ok(a - b),
        Comparison::Ratio if b == 0.0 => Err("ratio over zero".into()),
        Comparison::Ratio => Ok(a / b),
    }
}

/// What scikit-learn answers where we say that a rate is undefined.
fn zero(metric: &str, get: &impl Fn(&str) -> Option<Estimate>) -> Figure {
    let rate = |name: &str| get(name).and_then(|e| e.value);
    match metric {
        // The mean over the labels that occur.
        "balanced_accuracy" => Ok(rate("true_positive_rate").or(rate("true_negative_rate")).unwrap_or(0.0)),
        "average_odds_rate" => {
            Ok((rate("true_positive_rate").unwrap_or(0.0) + rate("false_positive_rate").unwrap_or(0.0)) / 2.0)
        }
        _ => Ok(0.0),
    }
}

fn spread(figures: impl Iterator<Item = Figure>, comparison: Comparison) -> Figure {
    let all: Vec<f64> = figures.collect::<Result<_, _>>()?;
    let (max, min) = (all.iter().copied().fold(f64::MIN, f64::max), all.iter().copied().fold(f64::MAX, f64::min));
    match comparison {
        Comparison::Difference | Comparison::Value => Ok(max - min),
        Comparison::Ratio if max == 0.0 => Err("ratio over zero".into()),
        Comparison::Ratio => Ok(min / max),
    }
}
