//! How the tool speaks: what is asked of every subcommand, colours, and lines that fit.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use clap::Args;
use unicode_width::UnicodeWidthStr;

/// The width of a text that goes to no terminal.
const WIDTH: usize = 80;
/// The widest that a text is read well.
const WIDEST: usize = 120;

/// What every subcommand can be asked.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Manner {
    /// Prints nothing but errors: no report, no notes, no progress. The exit status tells, and files are written all the same.
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub quiet: bool,

    /// No colours. Without it, a terminal gets them unless NO_COLOR or CLICOLOR=0 is set, a pipe if CLICOLOR_FORCE is.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_color: bool,
}

static MANNER: OnceLock<Manner> = OnceLock::new();

/// Keeps to it from now on.
pub fn keep(manner: Manner) {
    let _ = MANNER.set(manner);
}

fn manner() -> Manner {
    MANNER.get().copied().unwrap_or_default()
}

/// Whether nothing but errors is to be said.
pub fn quiet() -> bool {
    manner().quiet
}

/// Whether standard output shows colours.
pub fn color() -> bool {
    !manner().no_color && AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Whether standard error shows colours.
pub fn color_of_errors() -> bool {
    !manner().no_color && AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Whether colours are refused on the command line, which clap has to know before it reads the rest.
pub fn refused() -> bool {
    std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--no-color")
}

/// The width of the terminal on standard output, where the text goes there.
pub fn width(to_stdout: bool) -> usize {
    let shown = to_stdout && io::stdout().is_terminal();
    let terminal = shown.then(terminal_size::terminal_size).flatten();
    terminal.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(40, WIDEST))
}

/// The width of the terminal on standard error; none where it is no terminal.
pub fn width_of_errors() -> Option<usize> {
    let terminal = terminal_size::terminal_size_of(io::stderr())?;
    Some(usize::from(terminal.0.0).clamp(40, WIDEST))
}

/// Breaks a text between words, so that with `indent` before every line but the first, which starts at the column `start`,
/// none is wider than `width`. A word that is wider stands alone; colours have no width.
pub fn wrap(text: &str, start: usize, indent: usize, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = start;
    for (i, word) in text.split(' ').enumerate() {
        let wide = strip_str(word).to_string().width();
        if i > 0 && column + 1 + wide > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if i > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += wide;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 0, 2, 8), "one two\n  three");
        assert_eq!(wrap("one two three", 6, 2, 9), "one\n  two\n  three");
        assert_eq!(wrap("seventeen", 0, 2, 4), "seventeen");
        assert_eq!(wrap("", 0, 2, 4), "");
        assert_eq!(wrap("\u{1b}[31mone\u{1b}[0m two", 0, 2, 7), "\u{1b}[31mone\u{1b}[0m two");
        // Columns count, not characters.
        assert_eq!(wrap("性別 性別", 0, 0, 8), "性別\n性別");
    }
}
