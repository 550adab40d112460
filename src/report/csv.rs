//! The form for spreadsheets and data frames: one figure a line.

use std::io::{self, Write};

use super::Report;
use super::long::{self, Line, NAMES, NUMBERS, REASON};

impl Report {
    /// Writes every figure as a line of CSV (RFC 4180, UTF-8, lines end in `\n`), with the columns
    /// `attribute, group, stratum, metric, comparison, against, value, low, high, p_value, rows, weight, reason`,
    /// and `model` before them if the report has more than one model.
    ///
    /// - A group's own figure has no `comparison` and no `against`. The whole batch is the group `overall`
    ///   of the attribute `overall`.
    /// - A disparity has the `comparison` `difference`, `ratio` or `value`, `against` `between_groups`, `overall`,
    ///   `rest` or the reference group's name. One between all groups has no `group`.
    /// - `share_of_rows` is a group's share of all rows. What strata explain stands by stratum. What another cut of the
    ///   scores would do has the `comparison` `at_threshold` or `at_budget`, `against` the cut. A rulebook's rates and ratios,
    ///   which count people, are `rulebook_rate` and `rulebook_impact_ratio`.
    /// - An undefined figure has no `value` and a `reason`. Where labels are selective, `low` and `high` are
    ///   the least and the most that it could be, and the reason says so. What is not known of a line is empty.
    /// - Numbers are fractions, not percent, in the shortest form that reads back as the same number.
    ///
    /// Names are written as they are, so that programs can join on them. A level named `=1+1` is therefore a
    /// formula to a spreadsheet that opens the file without asking: import such files with columns as text.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_csv(&self, to: impl Write) -> io::Result<()> {
        let models = self.models.len() > 1;
        let mut out = csv::Writer::from_writer(to);
        let head = models.then_some("model").into_iter().chain(NAMES).chain(NUMBERS).chain([REASON]);
        out.write_record(head).map_err(io::Error::from)?;
        long::each(self, &mut |line: Line| {
            let numbers = line.numbers().map(|v| v.map(|v| v.to_string()).unwrap_or_default());
            let names = models.then_some(&*line.model).into_iter().chain(line.names());
            out.write_record(names.chain(numbers.iter().map(String::as_str)).chain([line.reason.as_str()]))
        })
        .map_err(io::Error::from)?;
        out.flush()
    }

    /// The report as CSV; see [`write_csv`](Self::write_csv).
    pub fn to_csv(&self) -> String {
        let mut bytes = Vec::new();
        // Memory refuses nothing, and what is written is made of strings.
        let _ = self.write_csv(&mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }
}
