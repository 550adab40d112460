//! Where the peers and we differ, and why.

use crate::Theirs;
use crate::input::{Desk, MISSING};
use crate::peers::{Answer, Entry};
use crate::view::Figure;

/// Our answer to a table that a peer gave up on: any figure of the batch, or our own refusal.
pub fn of_whole_tables(desk: &mut Desk, entry: &Entry) -> Answer {
    let path: &[&str] = match entry.text("function") {
        "MetricFrame" => &["overall", "selection_rate"],
        _ => &["group", "a", "pprev"],
    };
    crate::ours(desk, entry, &path.iter().map(|p| (*p).into()).collect::<Vec<_>>())
}

/// The reason for a difference, where there is one.
pub fn of(desk: &mut Desk, entry: &Entry, path: &[String], ours: &Figure, theirs: &Theirs) -> Option<&'static str> {
    let case = entry.text("input").strip_prefix("inline:").unwrap_or("");
    match (ours, theirs) {
        (Err(reason), Theirs::Figure(theirs)) => {
            convention(desk, entry, path, *theirs).or_else(|| undefined(entry, reason, *theirs))
        }
        (Ok(_), Theirs::Figure(theirs)) => {
            convention(desk, entry, path, *theirs).or_else(|| match (entry.text("peer"), case) {
                ("aequitas", "labels_minus1_plus1") => Some("reads -1 as no row"),
                ("fairlearn" | "aif360", "labels_str") if *theirs == 0.0 => Some("reads text as 0"),
                _ => None,
            })
        }
        (Ok(_), Theirs::Error(error)) => gives_up(entry, case, error),
        (Ok(_), Theirs::Undefined) => match entry.text("peer") {
            "jurity" if error_of_one_label(case) => Some("gives up where a group has one label only"),
            "jurity" if case == "labels_minus1_plus1" => Some("reads labels other than 0 and 1 as one"),
            "aequitas" if case == "labels_minus1_plus1" => Some("reads -1 as no row"),
            "fairlearn" if case == "labels_str" => Some("reads text as 0"),
            _ => None,
        },
        (Err(_), _) => None,
    }
}

fn error_of_one_label(case: &str) -> bool {
    ["group_b_no_actual_positives", "group_b_no_actual_negatives"].contains(&case)
}

/// Conventions that we can follow to the peer's very figure.
fn convention(desk: &mut Desk, entry: &Entry, path: &[String], theirs: f64) -> Option<&'static str> {
    let fillers = [(None, true), (Some(MISSING), false), (Some(MISSING), true), (Some("0"), false), (Some("0"), true)];
    for (missing, zeros) in fillers {
        (desk.missing, desk.zeros) = (missing, zeros);
        let followed = crate::ours(desk, entry, path);
        (desk.missing, desk.zeros) = (None, false);
        if matches!(followed, Answer::Figure(Ok(v)) if crate::same(v, theirs)) {
            return Some(match missing {
                None => "takes a rate over nobody for 0",
                Some(MISSING) => "takes a missing group for unprivileged",
                _ => "takes a missing decision for a rejection",
            });
        }
    }
    None
}

/// A figure of theirs where we say that there is none.
fn undefined(entry: &Entry, reason: &str, theirs: f64) -> Option<&'static str> {
    let [peer, function] = ["peer", "function"].map(|k| entry.text(k));
    let refused = [
        ("a finite weight of at least 0", "takes negative weights"),
        ("every column of a batch needs the same rows", "takes columns of unequal lengths"),
        ("is not plainly binary", "takes three labels for two"),
        ("there are no rows", "answers 0 for no rows"),
    ];
    if let Some((_, reason)) = refused.iter().find(|(says, _)| reason.contains(says)) {
        return Some(reason);
    }
    match (peer, reason) {
        ("aequitas", "ratio over zero") if theirs == 10.0 => Some("writes 10 for a ratio over zero"),
        // D18: the positives of the other group, counted.
        ("jurity", "ratio over zero") if function == "DisparateImpact" => Some("counts where a ratio is over zero"),
        ("aif360" | "holisticai", "ratio over zero") if theirs == 0.0 => Some("answers 0 for a ratio over zero"),
        ("fairlearn", "fewer than two groups to compare" | "a part of it is undefined")
            if theirs == if function.ends_with("ratio") { 1.0 } else { 0.0 } =>
        {
            Some("compares one group with itself, or drops the part that is undefined")
        }
        ("fairlearn", "a part of it is undefined") if function == "equalized_odds_ratio" => {
            Some("compares one group with itself, or drops the part that is undefined")
        }
        ("fairlearn", "no variation") => Some("divides correlations of both signs"),
        // Its true negative rate over nobody is 0, and the false positive rate its complement.
        ("aif360", "no negatives") => Some("takes a rate over nobody for 1"),
        _ => None,
    }
}

/// Inputs that a peer refuses and we read.
fn gives_up(entry: &Entry, case: &str, error: &str) -> Option<&'static str> {
    match case {
        "missing group value" | "sensitive_nan" | "sensitive_none" => Some("refuses missing groups: we count them"),
        "labels_str" => Some("refuses text: we read it where it is plain"),
        "labels_minus1_plus1" => Some("refuses -1 and 1: we are told which is favourable"),
        "ypred_nan" => Some("refuses missing decisions: we count them"),
        "group_of_one" if ["holisticai", "jurity"].contains(&entry.text("peer")) => {
            Some("fails on a group with one label")
        }
        "weights_zero_for_group_b" if error.contains("non-zero") => Some("fails on a group without weight"),
        _ => None,
    }
}
