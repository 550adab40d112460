//! What each function of each peer is called here, and by which convention.

use evenhand::audit::Comparison::{self, Difference, Ratio};
use evenhand::inference::hypothesis::two_proportion_z;
use serde_json::Value;

use crate::input::{Desk, Question, Sides};
use crate::view::{Figure, Rate, View, rate};

/// Our answer to one figure of a peer.
pub enum Answer {
    Figure(Figure),
    /// Not a figure of ours, and why.
    NotOurs(&'static str),
}

impl From<Figure> for Answer {
    fn from(figure: Figure) -> Self {
        Answer::Figure(figure)
    }
}

/// An entry of the oracle.
pub struct Entry<'a>(pub &'a Value);

impl<'a> Entry<'a> {
    pub fn text(&self, key: &str) -> &'a str {
        self.0[key].as_str().unwrap_or("")
    }

    pub fn param(&self, key: &str) -> Option<&'a Value> {
        self.0["params"].get(key)
    }

    fn texts(&self, key: &str) -> Vec<String> {
        match self.param(key) {
            Some(Value::Array(all)) => all.iter().map(|v| v.as_str().unwrap().to_string()).collect(),
            Some(Value::String(one)) => one.split(" x ").map(String::from).collect(),
            _ => Vec::new(),
        }
    }

    fn is_inline(&self) -> bool {
        self.text("input").starts_with("inline:")
    }

    /// Holistic AI, Jurity, Aequitas and Clarify take no weights.
    fn weight(&self, desk: &Desk) -> Option<String> {
        let named = ["weight", "weights", "sample_weight"].iter().find_map(|k| self.param(k)?.as_str());
        let takes = ["fairlearn", "aif360"].contains(&self.text("peer"));
        let inline = self.is_inline() && takes && desk.table(self.text("input")).has("sample_weight");
        named.map(String::from).or(inline.then(|| "sample_weight".to_string()))
    }

    fn question(&self, desk: &Desk) -> Question {
        Question { input: self.text("input").into(), weight: self.weight(desk), ..Question::default() }
    }

    fn by(&self, desk: &Desk, key: &str) -> Question {
        let attributes = if self.is_inline() { vec!["group".to_string()] } else { self.texts(key) };
        Question { crossed: attributes.len() > 1, attributes, ..self.question(desk) }
    }

    /// Unprivileged against privileged, however the peer puts it.
    fn sides(&self, desk: &Desk) -> Question {
        let table = desk.table(self.text("input"));
        let of = |column: &str, first: Vec<String>, first_is_privileged: bool| {
            let others = table.levels(column).into_iter().filter(|l| !first.contains(l)).collect();
            let (unprivileged, privileged) = if first_is_privileged { (others, first) } else { (first, others) };
            Sides { column: column.to_string(), unprivileged, privileged }
        };
        let equation = ["privileged", "group_b"].iter().find_map(|k| self.param(k)?.as_str()?.split_once("=="));
        let column = self.param("sensitive").and_then(Value::as_str).unwrap_or("group");
        let sides = if let Some((column, level)) = equation {
            of(column, vec![level.into()], true)
        } else if self.is_inline() {
            of("group", table.levels("group").into_iter().take(1).collect(), true)
        } else if let Some(key) = ["group_a", "membership_1", "facet"].iter().find(|k| self.param(k).is_some()) {
            of(column, self.texts(key), false)
        } else {
            let (unprivileged, privileged) = (self.texts("unprivileged"), self.texts("privileged"));
            Sides { column: column.into(), unprivileged, privileged }
        };
        Question { sides: Some(sides), ..self.question(desk) }
    }
}

/// One side against the other: `u` against `p`.
struct Two(View);

impl Two {
    fn metric(&self, name: &str, comparison: Comparison) -> Figure {
        let rate = rate(name).unwrap();
        self.0.against(rate, "u", comparison, "p")
    }

    fn named(&self, name: &str, comparison: Comparison) -> Figure {
        self.0.named(name, Some("u"), comparison, "p")
    }

    fn group(&self, name: &str, group: &str) -> Figure {
        self.0.group(rate(name).unwrap(), group)
    }

    /// `f` of the facet minus `f` of the others.
    fn gap(&self, f: impl Fn(&str) -> Figure) -> Figure {
        Ok(f("u")? - f("p")?)
    }
}

fn negated(figure: Figure) -> Figure {
    figure.map(|v| -v)
}

/// Our answer to the figure at `path` of an entry's value.
pub fn ours(desk: &mut Desk, entry: &Entry, path: &[String]) -> Answer {
    match entry.text("peer") {
        "fairlearn" => fairlearn(desk, entry, path),
        "aif360" => aif360(desk, entry, path),
        "holisticai" => holisticai(desk, entry, path),
        "jurity" => jurity(desk, entry),
        "smclarify" => smclarify(desk, entry),
        "aequitas" => aequitas(desk, entry, path),
        "definition" => {
            let strata = entry.texts("strata");
            let question = Question { strata, ..entry.by(desk, "attribute") };
            let shares = |v: View| v.named("conditional_demographic_disparity", Some(&path[0]), Difference, "rest");
            desk.ask(&question).and_then(shares).into()
        }
        peer => panic!("no peer {peer}"),
    }
}

/// Between groups max − min and min / max, or the worst to the overall figure.
fn fairlearn(desk: &mut Desk, entry: &Entry, path: &[String]) -> Answer {
    let function = entry.text("function");
    if function == "MetricFrame(bootstrap)" {
        return Answer::NotOurs("drawn at random by numpy");
    }
    if function.starts_with("MetricFrame") {
        return metric_frame(desk, entry, path);
    }
    let key = if entry.param("sensitive").is_some() { "sensitive" } else { "attribute" };
    let view = desk.ask(&entry.by(desk, key));
    let view = match view {
        Ok(view) => view,
        Err(refused) => return Answer::Figure(Err(refused)),
    };
    let function = function.strip_suffix(" agg=mean").unwrap_or(function);
    let mean = entry.text("function").ends_with("agg=mean") || entry.param("agg").is_some_and(|a| a == "mean");
    let to_overall = entry.param("method").is_some_and(|m| m == "to_overall");
    for (suffix, pick) in [("_group_min", f64::min as fn(f64, f64) -> f64), ("_group_max", f64::max)] {
        if let Some(name) = function.strip_suffix(suffix) {
            return extreme(&view, rate(name).unwrap(), pick).into();
        }
    }
    let (name, comparison) = match function.rsplit_once('_') {
        Some((name, "difference")) => (name, Difference),
        Some((name, "ratio")) => (name, Ratio),
        _ => panic!("fairlearn {function}"),
    };
    if name == "equalized_odds" {
        if mean && comparison == Ratio {
            return Answer::NotOurs("the mean of two ratios");
        }
        if !to_overall {
            let criterion = if mean { "equalized_odds_mean" } else { "equalized_odds" };
            return view.named(criterion, None, comparison, "between_groups").into();
        }
        let part = |name| view.to_overall(rate(name).unwrap(), comparison);
        let joined = part("tpr").and_then(|t| Ok((t, part("fpr")?)));
        return joined
            .map(|(t, f)| match comparison {
                _ if mean => (t + f) / 2.0,
                Difference | Comparison::Value => t.max(f),
                Ratio => t.min(f),
            })
            .into();
    }
    if to_overall {
        return view.to_overall(rate(name).unwrap(), comparison).into();
    }
    if ["demographic_parity", "equal_opportunity"].contains(&name) {
        return view.named(name, None, comparison, "between_groups").into();
    }
    view.between(rate(name).unwrap(), comparison).into()
}

fn extreme(view: &View, rate: Rate, pick: fn(f64, f64) -> f64) -> Figure {
    let all = view.groups().iter().map(|g| view.group(rate, g)).collect::<Result<Vec<f64>, _>>()?;
    all.into_iter().reduce(pick).ok_or_else(|| "no groups".into())
}

fn metric_frame(desk: &mut Desk, entry: &Entry, path: &[String]) -> Answer {
    let function = entry.text("function");
    let strata = entry.texts("control");
    let key = if entry.param("sensitive").is_some() { "sensitive" } else { "attributes" };
    let question = Question { strata: strata.clone(), ..entry.by(desk, key) };
    // `MetricFrame.by_group` puts the group first and has no other part.
    let (part, metric, group) = match function.split_once('.') {
        Some((_, part)) if part.starts_with("by_group") => ("by_group", &path[1], Some(&path[0])),
        Some((_, part)) => (part, &path[0], None),
        None => (path[0].as_str(), &path[1], path.get(2)),
    };
    let of_scores = function == "MetricFrame(scores)";
    let Some(rate) = rate(if of_scores && metric == "mean_prediction" { "mean_score" } else { metric }) else {
        return Answer::NotOurs(if of_scores { "of scores: later work" } else { "no metric of ours: Cohen's kappa" });
    };
    if !strata.is_empty() && part == "overall" {
        let question = Question { attributes: strata, strata: Vec::new(), ..question };
        return desk.ask(&question).and_then(|v| v.group(rate, group.unwrap())).into();
    }
    let view = match desk.ask(&question) {
        Ok(view) => view,
        Err(refused) => return Answer::Figure(Err(refused)),
    };
    let stratum = group.filter(|_| !strata.is_empty());
    match (part, stratum) {
        ("by_group", Some(both)) => {
            let (stratum, group) = both.split_once(" & ").unwrap();
            view.within(rate, group, stratum)
        }
        ("difference", Some(stratum)) => view.between_within(rate, Difference, stratum),
        ("ratio", Some(stratum)) => view.between_within(rate, Ratio, stratum),
        ("overall", _) => view.overall(rate),
        ("by_group", None) => view.group(rate, group.unwrap()),
        ("group_min", _) => extreme(&view, rate, f64::min),
        ("group_max", _) => extreme(&view, rate, f64::max),
        ("difference_between_groups" | "difference(between_groups)", _) => view.between(rate, Difference),
        ("ratio_between_groups" | "ratio(between_groups)", _) => view.between(rate, Ratio),
        ("difference_to_overall" | "difference(to_overall)", _) => view.to_overall(rate, Difference),
        ("ratio_to_overall" | "ratio(to_overall)", _) => view.to_overall(rate, Ratio),
        _ => panic!("{function}: {path:?}"),
    }
    .into()
}

/// Unprivileged minus (or over) privileged.
fn aif360(desk: &mut Desk, entry: &Entry, path: &[String]) -> Answer {
    let full = entry.text("function");
    let of_labels = full.starts_with("BinaryLabelDatasetMetric") || full.ends_with("(y_true only)");
    let function = full.rsplit('.').next().unwrap().trim_end_matches("(y_true only)");
    if function.starts_with("intersection") || function.starts_with("one_vs_rest") {
        // Keys are `Female` or `('Female', 'Black')`.
        let group = path[0].trim_matches(['(', ')']).replace('\'', "").replace(", ", " & ");
        let view = desk.ask(&entry.by(desk, "prot_attr"));
        // The rest minus the group: AIF360 takes the one for privileged.
        return view
            .and_then(|v| match function {
                "intersection(selection_rate)" => v.group(rate("selection_rate").unwrap(), &group),
                "one_vs_rest(statistical_parity_difference)" => {
                    negated(v.named("selection_rate", Some(&group), Difference, "rest"))
                }
                _ => v.named("selection_rate", Some(&group), Ratio, "rest").map(|r| 1.0 / r),
            })
            .into();
    }
    if entry.param("attribute").is_some() {
        let name = if function == "generalized_fpr" { "false" } else { "true" };
        let rate = rate(&format!("generalized_{name}_positive_rate")).unwrap();
        let view = desk.ask(&entry.by(desk, "attribute"));
        let turn = |v| if name == "true" { 1.0 - v } else { v };
        return view.and_then(|v| v.group(rate, &path[0])).map(turn).into();
    }
    let view = match desk.ask(&entry.sides(desk)) {
        Ok(view) => view,
        Err(refused) => return Answer::Figure(Err(refused)),
    };
    let two = Two(view.clone());
    if function == "generalized_fpr/fnr" {
        let name =
            if path[0] == "gfpr" { "generalized_false_positive_rate" } else { "generalized_false_negative_rate" };
        return view.overall(rate(name).unwrap()).into();
    }
    if let Some(rate) = rate(function) {
        return match path[0].as_str() {
            "overall" => view.overall(rate),
            "privileged" => view.group(rate, "p"),
            _ => view.group(rate, "u"),
        }
        .into();
    }
    let rates = if of_labels { "base_rate" } else { "selection_rate" };
    let size = |name| two.metric(name, Difference).map(f64::abs);
    match function {
        "statistical_parity_difference" | "mean_difference" => two.metric(rates, Difference),
        "disparate_impact" | "disparate_impact_ratio" => two.metric(rates, Ratio),
        "equal_opportunity_difference" => two.named("equal_opportunity", Difference),
        "average_odds_difference" => two.named("average_odds", Difference),
        "average_odds_error" | "average_abs_odds_difference" => two.named("equalized_odds_mean", Difference),
        "equalized_odds_difference" => two.named("equalized_odds", Difference),
        "average_predictive_value_difference" => two
            .metric("precision", Difference)
            .and_then(|precision| Ok((precision + two.metric("false_omission_rate", Difference)?) / 2.0)),
        "generalized_equalized_odds_difference" => {
            size("generalized_true_positive_rate").and_then(|t| Ok(t.max(size("generalized_false_positive_rate")?)))
        }
        _ => match function.rsplit_once('_') {
            Some((name, "difference")) => two.metric(name, Difference),
            Some((name, "ratio")) => two.metric(name, Ratio),
            _ => panic!("aif360 {full}"),
        },
    }
    .into()
}

/// group_a (the unprivileged one) minus or over group_b.
fn holisticai(desk: &mut Desk, entry: &Entry, path: &[String]) -> Answer {
    let function = match (entry.text("function"), path.first().map(String::as_str)) {
        (_, None) | ("success_rate", _) => entry.text("function"),
        (_, Some("Statistical Parity")) => "statistical_parity",
        (_, Some("Disparate Impact")) => "disparate_impact",
        (_, Some("Four Fifths Rule")) => "four_fifths",
        (_, Some("2SD Rule")) => "z_test_diff",
        (_, Some("Equality of Opportunity Difference")) => "equal_opportunity_diff",
        (_, Some("False Positive Rate Difference")) => "false_positive_rate_diff",
        (_, Some("Average Odds Difference")) => "average_odds_diff",
        (_, Some("Accuracy Difference")) => "accuracy_diff",
        (_, Some("Cohen D")) => return Answer::NotOurs("an effect size: later work"),
        (_, Some("ABROCA")) => return Answer::NotOurs("of scores: later work"),
        other => panic!("holisticai {other:?}"),
    };
    let view = match desk.ask(&entry.sides(desk)) {
        Ok(view) => view,
        Err(refused) => return Answer::Figure(Err(refused)),
    };
    let two = Two(view);
    match function {
        "statistical_parity" => two.named("demographic_parity", Difference),
        "disparate_impact" => two.named("disparate_impact", Ratio),
        // Both ways round, the smaller of the two.
        "four_fifths" => two.named("disparate_impact", Ratio).map(|r| r.min(1.0 / r)),
        "equal_opportunity_diff" => two.named("equal_opportunity", Difference),
        "average_odds_diff" => two.named("average_odds", Difference),
        "avg_score_diff" => two.metric("mean_score", Difference),
        "avg_score_ratio" => two.metric("mean_score", Ratio),
        "success_rate" => two.group("selection_rate", if path[0] == "sr_a" { "u" } else { "p" }),
        "z_test_diff" => z_test(&two),
        _ => two.metric(function.trim_end_matches("_diff"), Difference),
    }
    .into()
}

/// Holistic AI answers the z of the pooled test that our p-values of large groups are of. Small ones are
/// tested exactly.
fn z_test(two: &Two) -> Figure {
    let of = |g| Ok::<_, String>((two.group("pp", g)?, two.group("pp", g)? + two.group("pn", g)?));
    let ((x, n), (y, m)) = (of("u")?, of("p")?);
    let pooled = two_proportion_z(x, n, y, m).ok_or("no variation")?;
    if let Some((p, "two-proportion z")) = two.0.test("selection_rate", Some("u"), "p") {
        assert!(crate::same(p, pooled.p_value), "{p} is not {}", pooled.p_value);
    }
    Ok(pooled.z)
}

/// Membership 1 minus (or over) the others.
fn jurity(desk: &mut Desk, entry: &Entry) -> Answer {
    let two = desk.ask(&entry.sides(desk)).map(Two);
    two.and_then(|two| match entry.text("function") {
        "AverageOdds" => two.named("average_odds", Difference),
        "EqualOpportunity" => two.named("equal_opportunity", Difference),
        "PredictiveEquality" => two.named("predictive_equality", Difference),
        "FNRDifference" => two.metric("false_negative_rate", Difference),
        "FORDifference" => two.metric("false_omission_rate", Difference),
        "DisparateImpact" => two.named("disparate_impact", Ratio),
        "StatisticalParity" => two.named("demographic_parity", Difference),
        function => panic!("jurity {function}"),
    })
    .into()
}

/// Mostly the others minus the facet; each as Clarify documents it.
fn smclarify(desk: &mut Desk, entry: &Entry) -> Answer {
    let function = entry.text("function").split_once('.').unwrap().1;
    let strata = entry.texts("group_variable");
    let question = Question { of_labels: function == "CDDL", strata, ..entry.sides(desk) };
    let two = desk.ask(&question).map(Two);
    two.and_then(|two| match function {
        "DPL" => negated(two.metric("base_rate", Difference)),
        "DPPL" => negated(two.named("demographic_parity", Difference)),
        "DI" => two.named("disparate_impact", Ratio),
        "AD" => negated(two.named("accuracy_equality", Difference)),
        "RD" => negated(two.named("equal_opportunity", Difference)),
        "DAR" => negated(two.named("predictive_parity", Difference)),
        "DRR" => two.metric("negative_predictive_value", Difference),
        "SD" => two.metric("true_negative_rate", Difference),
        "TE" => two.named("treatment_equality", Difference),
        // Labels over decisions: observed over predicted, of the accepted and of the rejected.
        "DCA" => negated(two.gap(|g| Ok(two.group("base_rate", g)? / two.group("selection_rate", g)?))),
        "DCR" => two.gap(|g| Ok((1.0 - two.group("base_rate", g)?) / (1.0 - two.group("selection_rate", g)?))),
        "CDDPL" | "CDDL" => two.0.named("conditional_demographic_disparity", Some("u"), Difference, "rest"),
        function => panic!("smclarify {function}"),
    })
    .into()
}

/// Each group over the reference group. `path` is attribute, group, column, and for scores the cut in front.
fn aequitas(desk: &mut Desk, entry: &Entry, path: &[String]) -> Answer {
    let function = entry.text("function");
    if function.starts_with("Fairness.") {
        return Answer::NotOurs("Aequitas judges the figure, we judge its interval");
    }
    let mut question = entry.by(desk, "attr_cols");
    if let Some(attribute) = entry.param("attribute") {
        question.attributes = vec![attribute.as_str().unwrap().into()];
    }
    question.crossed = false;
    let references =
        match (entry.param("ref_groups"), entry.param("reference"), entry.param("ref").filter(|r| r.is_string())) {
            (Some(all), ..) => {
                all.as_object().unwrap().iter().map(|(a, l)| (a.clone(), l.as_str().unwrap().into())).collect()
            }
            (_, Some(level), _) => vec![(question.attributes[0].clone(), level.as_str().unwrap().into())],
            (.., Some(level)) => vec![("group".into(), level.as_str().unwrap().into())],
            _ => Vec::new(),
        };
    question.references = references;
    let (cut, path) =
        if function.ends_with("(score_thresholds)") { (Some(path[0].clone()), &path[1..]) } else { (None, path) };
    question.cut = cut;
    let [attribute, group, column] = path else { panic!("aequitas {path:?}") };
    let view = match desk.ask(&question) {
        Ok(view) => view.by(attribute),
        Err(refused) => return Answer::Figure(Err(refused)),
    };
    let all = |name: &str| view.overall(rate(name).unwrap());
    match column.as_str() {
        "total_entities" => return all("count").into(),
        "k" => return all("pp").into(),
        // A share of the selected, not of the group: "statistical parity" to Aequitas.
        "ppr" => return view.group(rate("pp").unwrap(), group).and_then(|pp| ratio(pp, all("pp")?)).into(),
        _ => {}
    }
    if column.ends_with("_significance") {
        return Answer::NotOurs("p-values on the wrong rows");
    }
    let Some(name) = column.strip_suffix("_disparity") else {
        return view.group(rate(column).unwrap(), group).into();
    };
    let rate = rate(if name == "ppr" { "pp" } else { name }).unwrap();
    if function.ends_with("min_metric") {
        let least = extreme(&view, rate, f64::min);
        return least.and_then(|least| ratio(view.group(rate, group)?, least)).into();
    }
    let reference = view.table().reference.clone().unwrap();
    if *group == reference {
        return view.group(rate, group).and_then(|v| ratio(v, v)).into();
    }
    view.against(rate, group, Ratio, &reference).into()
}

fn ratio(a: f64, b: f64) -> Figure {
    if b == 0.0 { Err("ratio over zero".into()) } else { Ok(a / b) }
}
