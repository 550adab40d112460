//! The form for GitHub's actions: commands in the log that become annotations.

use super::junit::counted;
use super::view::{sentence, subject};
use super::words::{clean, name, unglued};
use super::{Report, measures, view};
use crate::audit::Verdict;

/// Text as a command's message: what would end it is written in percent.
fn message(text: &str) -> String {
    clean(&unglued(text)).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as a command's property, which ends at a colon or a comma besides.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

impl Report {
    /// The findings as GitHub's workflow commands, a line each, gravest first: `::error` for what fails, `::warning` for what
    /// is inconclusive, and a `::notice` with the summary at the end. An inconclusive finding is what the policy says it
    /// counts as ([`Policy::inconclusive`](crate::audit::Policy::inconclusive)).
    ///
    /// Printed in a job, they stand at the top of its page; of each kind GitHub shows the first ten of a step, the log has
    /// all. No name from the data can end a command or begin another.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::{AuditPlan, Policy};
    /// use evenhand::data::{Batch, Categorical};
    ///
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_values("sex", (0..400).map(|i| if i % 2 == 0 { "f" } else { "m" })))
    ///     .decision((0..400).map(|i| u8::from(i % 2 == 1)).collect::<Vec<_>>())
    ///     .build()?;
    /// let report = AuditPlan::new().policy(Policy::preset("four-fifths")?).run(&batch)?;
    /// let lines = report.to_annotations();
    /// assert!(lines.starts_with("::error title=FAIL disparate impact by sex::By sex, "));
    /// assert!(lines.contains("0.0 %25") && lines.lines().count() == 2);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn to_annotations(&self) -> String {
        let policy = &self.settings.policy;
        let models = view::models(self);
        let several = models.len() > 1;
        let mut found: Vec<_> = models
            .iter()
            .flat_map(|m| measures::findings(self, m).into_iter().map(move |(segment, f)| (m, segment, f)))
            .collect();
        found.sort_by(|a, b| b.2.verdict.cmp(&a.2.verdict).then(b.2.gravity.total_cmp(&a.2.gravity)));
        let mut out = String::new();
        for (m, segment, f) in found {
            let (kind, word) = match (counted(f, policy), f.verdict) {
                (Verdict::Fail, Verdict::Fail) => ("error", "FAIL"),
                (Verdict::Fail, _) => ("error", "INCONCLUSIVE"),
                (Verdict::Inconclusive, _) => ("warning", "INCONCLUSIVE"),
                (Verdict::Pass, _) => continue,
            };
            let of = if several { format!(", model {}", name(&m.model, view::NAME)) } else { String::new() };
            let title = property(&format!("{word} {}{of}", subject(segment, f)));
            out.push_str(&format!("::{kind} title={title}::{}\n", message(&sentence(&f.sentence))));
        }
        let title = property(&format!("Bias audit, policy {}", name(&policy.name, view::NAME)));
        out.push_str(&format!("::notice title={title}::{}\n", message(&sentence(&self.summary))));
        out
    }
}
