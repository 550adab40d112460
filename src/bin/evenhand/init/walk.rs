//! What was found, told to who runs the tool: each column that may play a part, which one, and why.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::roles::{Column, Guess, Role};
use crate::manner;

/// The widest that names are set beside what is said of them.
const NAMES: usize = 20;

/// The columns by the parts they play, the doubtful ones, and those that play none.
pub fn told(guess: &Guess, width: usize) -> String {
    let mut out = String::new();
    let taken: Vec<(&Column, Role)> = guess.columns.iter().filter_map(|c| Some((c, c.role?))).collect();
    let names = taken.iter().map(|(c, _)| name(c).width()).max().unwrap_or(0).min(NAMES);
    for role in Role::ALL {
        let of = |sure| taken.iter().filter(move |(c, r)| *r == role && c.sure == sure).map(|(c, _)| *c);
        // A batch has one label and one weight; only the first of several is set.
        for column in of(true).chain(of(false)) {
            let part = if column.sure { role.name().to_string() } else { format!("{}?", role.name()) };
            let indent = names + 16;
            let said = format!("{}; {}", column.about, column.why);
            let _ = writeln!(
                out,
                "  {part:<11} {}  {}",
                padded(&name(column), names),
                manner::wrap(&said, indent.max(16 + name(column).width()), indent, width)
            );
        }
    }
    for role in [Role::Attribute, Role::Decision, Role::Label] {
        if !taken.iter().any(|(c, r)| *r == role && c.sure) {
            let _ = writeln!(out, "  No column is plainly the {}: the policy has a line to fill in.", role.name());
        }
    }
    if taken.iter().any(|(c, _)| !c.sure) {
        out.push_str("  With ?: perhaps. The policy has it commented out.\n");
    }
    let idle: Vec<String> = guess.columns.iter().filter(|c| c.role.is_none()).map(name).collect();
    if !idle.is_empty() {
        let said = format!("Without a part: {}", idle.join(", "));
        let _ = writeln!(out, "  {}", manner::wrap(&said, 2, 4, width));
    }
    out
}

/// A name as it can be shown.
fn name(column: &Column) -> String {
    column.name.escape_debug().to_string()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
