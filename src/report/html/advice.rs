//! What to do about a finding: where to look first, and what can be changed. It is a start, not a prescription.

use crate::audit::Verdict;
use crate::metrics::catalog::Direction;
use crate::metrics::families::RANKINGS;
use crate::metrics::{Need, Of, Undefined, catalog};
use crate::report::Finding;
use crate::report::view::NAME;
use crate::report::words::{counted, name};

/// What a criterion looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Subject {
    /// Who is selected.
    Selection,
    /// Who is selected of those with the same label.
    Errors,
    /// What scores mean.
    Scores,
    /// Who stands where on a list.
    List,
    /// Who is in which segment.
    Segments,
    /// The labels themselves.
    Labels,
    /// Something of the user's own.
    Other,
}

fn subject(criterion: &str) -> Subject {
    let leading = catalog::criterion_entry(criterion).and_then(|c| c.metrics.first().copied()).unwrap_or(criterion);
    if let Some(m) = catalog::metric(leading) {
        return match (m.needs.label, m.needs.decision, m.needs.score) {
            (_, _, true) => Subject::Scores,
            (true, true, _) => Subject::Errors,
            (false, true, _) => Subject::Selection,
            (true, false, _) => Subject::Labels,
            (false, false, false) => Subject::Other,
        };
    }
    match catalog::measure(leading) {
        Some(m) if m.needs.contains(&Need::Segments) => Subject::Segments,
        Some(m) if RANKINGS.iter().any(|r| r.entry.name == m.name) => Subject::List,
        Some(m) if m.needs.contains(&Need::Score) || m.needs.contains(&Need::Probability) => Subject::Scores,
        Some(m) if m.needs.contains(&Need::Decision) => Subject::Selection,
        _ => Subject::Other,
    }
}

/// What to do about a finding, of a segment or of a decision.
pub(super) fn advice(f: &Finding, of_segment: bool) -> String {
    match (f.verdict, f.estimate.value) {
        (Verdict::Pass, _) => "Nothing to mend. Audit the next batch by the same policy.".into(),
        (_, None) => unknown(f),
        (Verdict::Inconclusive, _) => match f.rows_to_decide {
            Some(rows) => {
                format!("Audit about {} before changing anything.", counted(rows, "more row", "more rows"))
            }
            None => "Audit more rows before changing anything: these cannot tell.".into(),
        },
        (Verdict::Fail, Some(_)) => mend(f, of_segment),
    }
}

fn unknown(f: &Finding) -> String {
    match f.estimate.reason {
        Some(Undefined::SelectiveLabels) => {
            "Learn the labels of some who were not selected, drawn at random: until then nobody can know it."
        }
        Some(Undefined::TooFewGroups) => {
            "Bring more rows of the small groups, or merge levels that may be judged together."
        }
        Some(Undefined::NoReference) => "Name a reference group that the data hold.",
        Some(Undefined::NoOverlap) => "Choose coarser strata, so that both groups are in some of them.",
        Some(Undefined::TooManyGroups) => "Merge levels, or cross fewer attributes.",
        _ => {
            "It was not judged. Bring rows in which what is missing is known, or take the criterion out of the policy."
        }
    }
    .into()
}

/// Which way is better for a group, where all that a criterion compares agree on it.
fn better(criterion: &str) -> Direction {
    let of = |metric: &str| match (catalog::metric(metric), catalog::measure(metric)) {
        (Some(m), _) => m.direction,
        // Of two groups or of all at once, the direction is that of fairness.
        (_, Some(m)) if m.of == Of::Group => m.direction,
        _ => Direction::Neither,
    };
    let compared = catalog::criterion_entry(criterion).map_or(vec![criterion], |c| c.metrics.to_vec());
    let first = compared.first().map_or(Direction::Neither, |m| of(m));
    if compared.iter().all(|m| of(m) == first) { first } else { Direction::Neither }
}

/// The groups to look at: the one that is worse off, or both where neither is.
fn whose(f: &Finding) -> String {
    let named = |g: &Option<String>| g.as_ref().map(|g| name(g, NAME));
    let (highest, lowest) = (named(&f.highest), named(&f.lowest));
    let both = || match (&highest, &lowest) {
        (Some(a), Some(b)) if a != b => Some(format!("{a} and {b}")),
        _ => None,
    };
    let groups = match better(&f.criterion) {
        Direction::Higher => lowest.clone().or(highest.clone()),
        Direction::Lower => highest.clone().or(lowest.clone()),
        Direction::Neither => both().or(lowest.clone()).or(highest.clone()),
    };
    groups.map(|g| format!(" of {g}")).unwrap_or_default()
}

fn mend(f: &Finding, of_segment: bool) -> String {
    let who = whose(f);
    let subject = match subject(&f.criterion) {
        Subject::Selection if of_segment => Subject::Segments,
        other => other,
    };
    match subject {
        Subject::Selection => format!(
            "Look at what keeps the figure{who} apart: compare within strata that may rightly differ. What these do not \
             explain can be mended by weights or new rows in training, by thresholds by group, or within a budget."
        ),
        Subject::Errors => format!(
            "Look at the rows{who} on which the model errs: fewer rows to learn from, or features that mean less for \
             them. Training under a constraint or thresholds by group bring error rates together."
        ),
        Subject::Scores => format!(
            "Ask whether the same score means the same for all: look at the calibration and the features{who}. More \
             or other features help more than moved thresholds."
        ),
        Subject::List => "Re-rank the list under bounds by group, and look at what the score leaves out.".into(),
        Subject::Segments => {
            "Look at the features that put people into segments. Segments can be made under a bound, or people \
             re-assigned at the least cost."
                .into()
        }
        Subject::Labels => format!(
            "The labels differ before any model does: ask how they came to be{who}. Weights in training can keep a \
             model from repeating it."
        ),
        Subject::Other => "Look at the groups that are furthest apart, and at the rows behind their figures.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_tells_where_to_look() {
        assert_eq!(subject("disparate_impact"), Subject::Selection);
        assert_eq!(subject("equal_opportunity"), Subject::Errors);
        assert_eq!(subject("equalized_odds"), Subject::Errors);
        assert_eq!(subject("base_rate"), Subject::Labels);
        assert_eq!(subject("auc"), Subject::Scores);
        assert_eq!(subject("cramers_v"), Subject::Segments);
        assert_eq!(subject(RANKINGS[0].entry.name), Subject::List);
        assert_eq!(subject("of my own"), Subject::Other);
    }

    #[test]
    fn the_group_to_look_at_is_the_one_that_is_worse_off() {
        let of = |criterion: &str, highest: Option<&str>, lowest: Option<&str>| {
            let finding = serde_json::json!({
                "verdict": "fail", "sentence": "", "criterion": criterion, "attribute": "sex", "comparison": "difference",
                "against": "between_groups", "highest": highest, "lowest": lowest, "gravity": 0.1,
                "estimate": {"value": 0.2, "support": {"rows": 9, "weight": 9, "effective_size": 9}},
            });
            whose(&serde_json::from_value(finding).unwrap())
        };
        let both = (Some("high"), Some("low"));
        for (criterion, wanted) in [
            ("disparate_impact", " of low"),
            ("equal_opportunity", " of low"),
            ("auc", " of low"),
            // Fewer errors are better.
            ("root_mean_squared_error", " of high"),
            ("false_positive_rate", " of high"),
            ("predictive_equality", " of high"),
            ("brier_score", " of high"),
            // Neither way is worse, or the parts do not agree.
            ("base_rate", " of high and low"),
            ("mean_error", " of high and low"),
            ("equalized_odds", " of high and low"),
            ("kolmogorov_smirnov", " of high and low"),
            ("of my own", " of high and low"),
        ] {
            assert_eq!(of(criterion, both.0, both.1), wanted, "{criterion}");
        }
        // Of one group against the others there is one name.
        assert_eq!(of("false_positive_rate", Some("a"), Some("a")), " of a");
        assert_eq!(of("base_rate", Some("a"), Some("a")), " of a");
        assert_eq!(of("auc", Some("a"), None), " of a");
        assert_eq!(of("auc", None, None), "");
    }
}
