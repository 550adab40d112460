//! The form for a pipeline's list of tests: JUnit's XML.

use std::fmt::Write as _;

use super::view::{details, sentence, subject};
use super::words::{Unit, bound, clean, name, unglued};
use super::{Finding, ModelReport, Report, bar, view, words};
use crate::audit::{Policy, Verdict};

/// What a finding is to a pipeline: an inconclusive one is what the policy says it counts as.
pub(super) fn counted(f: &Finding, policy: &Policy) -> Verdict {
    if f.verdict == Verdict::Inconclusive { policy.inconclusive } else { f.verdict }
}

/// Text in which nothing is markup and every character may stand in XML 1.0.
fn escape(text: &str) -> String {
    let text = clean(&unglued(text));
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// All that is known of a finding, a line each.
fn body(f: &Finding, policy: &Policy) -> String {
    let lines = [sentence(&f.sentence), bar::figures(f)].into_iter().chain(details(f, policy));
    lines.map(|l| escape(&l)).collect::<Vec<_>>().join("\n")
}

fn case(out: &mut String, m: &ModelReport, f: &Finding, policy: &Policy) {
    let unit = Unit::compared(&f.criterion, f.comparison);
    let needs = bound(unit, f.minimum, f.maximum);
    let title = escape(&format!("{}, {needs}", subject(None, f)));
    let _ = write!(out, "    <testcase name=\"{title}\" classname=\"evenhand.{}\"", escape(&name(&m.model, 80)));
    let message = escape(&sentence(&f.sentence));
    let body = body(f, policy);
    let _ = match counted(f, policy) {
        Verdict::Fail => writeln!(
            out,
            ">\n      <failure type=\"{}\" message=\"{message}\">{body}</failure>\n    </testcase>",
            escape(&f.verdict.to_string())
        ),
        Verdict::Inconclusive => {
            writeln!(
                out,
                ">\n      <skipped message=\"{message}\"/>\n      <system-out>{body}</system-out>\n    </testcase>"
            )
        }
        Verdict::Pass => writeln!(out, ">\n      <system-out>{body}</system-out>\n    </testcase>"),
    };
}

impl Report {
    /// The findings as JUnit's XML, which continuous integration shows as a list of tests: a suite for each model, a case for
    /// each finding, gravest first.
    ///
    /// A finding that fails is a failure. One that is inconclusive is what the policy says it counts as
    /// ([`Policy::inconclusive`]): skipped, if the policy says no other, which pipelines show and do not fail for. The
    /// tool's exit status tells it apart from a pass.
    ///
    /// It keeps to the elements and attributes that the readers of Jenkins, GitLab and GitHub's actions have in common.
    /// Names from the data are escaped, and characters that XML does not allow written out.
    ///
    /// # Examples
    /// ```
    /// use evenhand::audit::AuditPlan;
    /// use evenhand::audit::Policy;
    /// use evenhand::data::{Batch, Categorical};
    ///
    /// let batch = Batch::builder()
    ///     .attribute(Categorical::from_values("sex", (0..400).map(|i| if i % 2 == 0 { "f" } else { "m" })))
    ///     .decision((0..400).map(|i| u8::from(i % 2 == 1)).collect::<Vec<_>>())
    ///     .build()?;
    /// let report = AuditPlan::new().policy(Policy::preset("four-fifths")?).run(&batch)?;
    /// let xml = report.to_junit();
    /// assert!(xml.contains("tests=\"1\" failures=\"1\"") && xml.contains("<failure type=\"fail\""));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn to_junit(&self) -> String {
        let policy = &self.settings.policy;
        let of = |m: &ModelReport, v: Verdict| m.findings.iter().filter(|f| counted(f, policy) == v).count();
        let all = |pick: &dyn Fn(&ModelReport) -> usize| self.models.iter().map(pick).sum::<usize>();
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(
            out,
            "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
            escape(&format!("bias audit, policy {}", name(&policy.name, view::NAME))),
            all(&|m| m.findings.len()),
            all(&|m| of(m, Verdict::Fail)),
        );
        let created = self.provenance.created.as_ref();
        let time = created.map(|t| format!(" timestamp=\"{}\"", escape(&name(t, 40)))).unwrap_or_default();
        for m in &self.models {
            let _ = writeln!(
                out,
                "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"{time}>",
                escape(&name(&m.model, 80)),
                m.findings.len(),
                of(m, Verdict::Fail),
                of(m, Verdict::Inconclusive),
            );
            let filter = self.data.filter.as_ref().map(|f| ("filter", words::filter(f)));
            let properties = [
                ("rows", self.data.rows.to_string()),
                ("policy", name(&policy.name, 80)),
                ("evenhand", name(&self.provenance.version, 20)),
                ("counts", name(&self.provenance.tally_digest, 80)),
            ];
            out.push_str("    <properties>\n");
            for (key, value) in properties.into_iter().chain(filter) {
                let _ = writeln!(out, "      <property name=\"{key}\" value=\"{}\"/>", escape(&value));
            }
            out.push_str("    </properties>\n");
            m.findings.iter().for_each(|f| case(&mut out, m, f, policy));
            out.push_str("  </testsuite>\n");
        }
        out.push_str("</testsuites>\n");
        out
    }
}
