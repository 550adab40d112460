//! From the text of a filter to its conditions.

use super::{Among, Condition, Side, Test, is_dated};
use crate::error::{Error, Result};

/// The signs of comparisons, the longer ones first.
const SIGNS: [&str; 7] = ["<=", ">=", "!=", "<>", "=", "<", ">"];
const COMPARISON: &str =
    "`=`, `!=`, `<`, `<=`, `>`, `>=`, `in (...)`, `not in (...)`, `is missing` or `is not missing`";

/// What a filter is written in.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name, a word of the language, or a number.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text in single quotes.
    Text(String),
    Sign(&'static str),
    Open,
    Close,
    Comma,
    End,
}

/// Whether a name of a column needs no quotes: it is no word of the language, and no number.
pub(super) fn is_plain(name: &str) -> bool {
    const WORDS: [&str; 8] = ["and", "or", "not", "in", "is", "missing", "null", "between"];
    name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && name.chars().all(is_of_word)
        && !WORDS.iter().any(|word| name.eq_ignore_ascii_case(word))
        && name.parse::<f64>().is_err()
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Reads one token after the other.
struct Parser<'t> {
    text: &'t str,
    /// Where the present token begins and ends.
    start: usize,
    end: usize,
    token: Token,
}

/// The conditions of a text.
pub(super) fn conditions(text: &str) -> Result<Vec<Condition>> {
    let mut parser = Parser { text, start: 0, end: 0, token: Token::End };
    parser.advance()?;
    let mut conditions = vec![parser.condition()?];
    while parser.takes_word("and")? {
        conditions.push(parser.condition()?);
    }
    match parser.token {
        Token::End => Ok(conditions),
        _ => Err(parser
            .wrong("`and` before a further condition, or the end (there are no `or` and no brackets; `in` is any of)")),
    }
}

impl Parser<'_> {
    /// The error at the present token.
    fn wrong(&self, expected: &str) -> Error {
        let place = self.text[..self.start].chars().count() + 1;
        let found = match self.token {
            Token::End => "its end".into(),
            _ => format!("`{}`", &self.text[self.start..self.end]),
        };
        let value = format!("`{}`, with {found} at character {place}", self.text.escape_debug());
        Error::setting("the filter", value, format!("there {expected}"))
    }

    fn advance(&mut self) -> Result<()> {
        let rest = &self.text[self.end..];
        let trimmed = rest.trim_start();
        self.start = self.text.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else {
            (self.token, self.end) = (Token::End, self.text.len());
            return Ok(());
        };
        let sign = SIGNS.iter().find(|sign| trimmed.starts_with(**sign));
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            quote @ ('\'' | '"') => {
                let Some((text, length)) = quoted(trimmed, quote) else {
                    self.end = self.text.len();
                    self.token = Token::Open;
                    return Err(self.wrong("a quote that closes what this one opens"));
                };
                (if quote == '"' { Token::Name(text) } else { Token::Text(text) }, length)
            }
            _ if sign.is_some() => sign.map_or((Token::End, 0), |sign| (Token::Sign(sign), sign.len())),
            c if is_of_word(c) || c == '+' => {
                let end = trimmed.char_indices().skip(1).find(|(_, c)| !is_of_word(*c) && *c != '+');
                let length = end.map_or(trimmed.len(), |(at, _)| at);
                (Token::Word(trimmed[..length].into()), length)
            }
            other => {
                (self.token, self.end) = (Token::Open, self.start + other.len_utf8());
                return Err(
                    self.wrong("a column, a comparison or a value (names of other characters stand in double quotes)")
                );
            }
        };
        (self.token, self.end) = (token, self.start + length);
        Ok(())
    }

    /// Goes over a word of the language, if it stands here.
    fn takes_word(&mut self, word: &str) -> Result<bool> {
        let here = matches!(&self.token, Token::Word(found) if found.eq_ignore_ascii_case(word));
        if here {
            self.advance()?;
        }
        Ok(here)
    }

    fn condition(&mut self) -> Result<Condition> {
        let column = match &self.token {
            Token::Word(name) if is_plain(name) => name.clone(),
            Token::Name(name) if !name.is_empty() => name.clone(),
            _ => {
                return Err(
                    self.wrong("the name of a column (in double quotes, if it is a number or a word such as `in`)")
                );
            }
        };
        self.advance()?;
        Ok(Condition { column, test: self.test()? })
    }

    fn test(&mut self) -> Result<Test> {
        if let Token::Sign(sign) = self.token {
            self.advance()?;
            return self.compared(sign);
        }
        if self.takes_word("is")? {
            let not = self.takes_word("not")?;
            if !self.takes_word("missing")? && !self.takes_word("null")? {
                return Err(self.wrong("`missing` or `not missing`"));
            }
            return Ok(if not { Test::Known } else { Test::Missing });
        }
        let among = if self.takes_word("not")? { Among::None } else { Among::One };
        if !self.takes_word("in")? {
            return Err(self.wrong(if among == Among::None { "`in (...)`" } else { COMPARISON }));
        }
        self.list(among)
    }

    fn list(&mut self, among: Among) -> Result<Test> {
        if self.token != Token::Open {
            return Err(self.wrong("`(` and values with commas between them"));
        }
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        loop {
            self.advance()?;
            match self.value()? {
                Value::Text(text) if numbers.is_empty() => texts.push(text),
                Value::Number(number) if texts.is_empty() => numbers.push(number),
                _ => return Err(self.wrong("a value like those before it: all texts in quotes, or all numbers")),
            }
            self.advance()?;
            match self.token {
                Token::Comma => {}
                Token::Close => break,
                _ => return Err(self.wrong("`,` before a further value, or `)`")),
            }
        }
        self.advance()?;
        Ok(if texts.is_empty() { Test::Numbers(numbers, among) } else { Test::Texts(texts, among) })
    }

    fn compared(&mut self, sign: &str) -> Result<Test> {
        let among = |among| (among, None);
        let (among, side) = match sign {
            "=" => among(Among::One),
            "!=" | "<>" => among(Among::None),
            "<" => (Among::One, Some(Side::Below)),
            "<=" => (Among::One, Some(Side::UpTo)),
            ">=" => (Among::One, Some(Side::From)),
            _ => (Among::One, Some(Side::Above)),
        };
        let test = match (self.value()?, side) {
            (Value::Text(text), None) => Test::Texts(vec![text], among),
            (Value::Number(number), None) => Test::Numbers(vec![number], among),
            (Value::Number(number), Some(side)) => Test::Number(side, number),
            (Value::Text(day), Some(side)) if day.len() == 10 && is_dated(&day) => Test::Day(side, day),
            _ => {
                return Err(self
                    .wrong("a number without quotes, or a day such as '2024-01-31': other texts have no order here"));
            }
        };
        self.advance()?;
        Ok(test)
    }

    fn value(&self) -> Result<Value> {
        match &self.token {
            // Values are trimmed before they are compared.
            Token::Text(text) => Ok(Value::Text(text.trim().into())),
            Token::Word(word) => match word.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Value::Number(number)),
                _ => Err(self.wrong("a number, or a text in single quotes")),
            },
            _ => Err(self.wrong("a number, or a text in single quotes")),
        }
    }
}

enum Value {
    Text(String),
    Number(f64),
}

/// The text between two quotes, a doubled one in it meant as such; and the length of all. `None` where it is not closed.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            inside.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            inside.push(quote);
        } else {
            return Some((inside, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Filter;

    fn shown(text: &str) -> String {
        text.parse::<Filter>().map_or_else(|error| error.to_string(), |filter| filter.to_string())
    }

    #[test]
    fn a_filter_reads_and_writes_itself() {
        for text in [
            "sex = 'f'",
            "sex != 'it''s' and age >= 18",
            "\"a \"\"b\"\" c\" in ('x', 'y, z') and n not in (1, -2.5)",
            "day > '2024-01-31' and \"in\" is missing and région is not missing",
            "a.b-c < 0.001",
            "\"18\" = 18",
        ] {
            assert_eq!(shown(text), text);
            assert_eq!(shown(&shown(text)), text);
        }
        assert_eq!(shown("  A IN( 'x' )And\tb<>+1e2 AND c IS NOT NULL"), "A = 'x' and b != 100 and c is not missing");
        assert_eq!(shown("a=' x '"), "a = 'x'");
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_what_is_allowed() {
        for (text, place, allowed) in [
            ("", "its end at character 1", "name of a column"),
            ("   ", "its end at character 4", "name of a column"),
            ("sex", "its end at character 4", "`is missing`"),
            ("sex = f", "`f` at character 7", "single quotes"),
            ("sex = \"f\"", "`\"f\"` at character 7", "single quotes"),
            ("sex = 'f", "at character 7", "closes"),
            ("é = 'f' or x = 1", "`or` at character 9", "no `or`"),
            ("(a = 1)", "`(` at character 1", "name of a column"),
            ("a = 1 and", "its end at character 10", "name of a column"),
            ("a in ()", "`)` at character 7", "single quotes"),
            ("a in (1, 'x')", "`'x'` at character 10", "all numbers"),
            ("a in (1", "its end at character 8", "`)`"),
            ("a in 1", "`1` at character 6", "`(`"),
            ("a < 'x'", "`'x'` at character 5", "'2024-01-31'"),
            ("a < '18'", "`'18'` at character 5", "without quotes"),
            ("a <= '2024-01-31 10:00'", "at character 6", "'2024-01-31'"),
            ("a = nan", "`nan` at character 5", "a number"),
            ("a = 1e999", "`1e999` at character 5", "a number"),
            ("a is 1", "`1` at character 6", "`missing`"),
            ("a not 1", "`1` at character 7", "`in (...)`"),
            ("18 = 18", "`18` at character 1", "double quotes"),
            ("a = 1;", "`;` at character 6", "double quotes"),
            ("a == 1", "`=` at character 4", "a number"),
        ] {
            let said = shown(text);
            assert!(said.contains(place) && said.contains(allowed), "{text:?}: {said}");
        }
    }
}
