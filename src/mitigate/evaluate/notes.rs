//! What a reader of a comparison must know.

use super::report::{Design, JudgedGroup};
use crate::report::words;

/// What notes are about.
pub(super) struct Notes<'a> {
    pub mitigations: usize,
    pub confidence: f64,
    pub minimum_rows: usize,
    /// Judged rows of no known group.
    pub missing: u64,
    pub groups: &'a [JudgedGroup],
    pub design: Design,
    pub without_area: bool,
}

impl Notes<'_> {
    pub fn write(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let chance = words::share(1.0 - self.confidence);
        match self.mitigations {
            0 | 1 => {}
            n => {
                notes.push(format!(
                    "{n} mitigations are compared: p-values are adjusted by Holm, so that for each measure the chance of \
                     any false claim is at most {chance}; intervals are not adjusted."
                ));
                notes.push(
                    "The one that looks best of several looks better than it is: judge it again on fresh rows before you \
                     quote its figures."
                        .into(),
                );
            }
        }
        let small: Vec<&JudgedGroup> = self.groups.iter().filter(|g| g.too_small).collect();
        if !small.is_empty() {
            let names: Vec<String> = small.iter().take(8).map(|g| words::name(&g.group, 30)).collect();
            let more = if small.len() > 8 { format!(" and {} more", small.len() - 8) } else { String::new() };
            notes.push(format!(
                "Too few judged rows (under {}) to be compared: {}{more}.",
                self.minimum_rows,
                names.join(", ")
            ));
        }
        if self.missing > 0 {
            let rows = words::counted(self.missing, "row", "rows");
            notes.push(format!("{rows} of no known group count in all but the disparities."));
        }
        if self.groups.len() - small.len() > 2 {
            notes.push(
                "The change of a disparity is that of the two groups furthest apart before, adjusted for the number of \
                 pairs."
                    .into(),
            );
        }
        if matches!(self.design, Design::Folds(_)) {
            notes.push(
                "With folds each row is decided on by a model that it did not train; intervals are for new people and these \
                 models, not for another training."
                    .into(),
            );
        }
        if self.without_area {
            notes.push("A part that was held out has labels of one kind only: there is no AUC.".into());
        }
        notes
    }
}
