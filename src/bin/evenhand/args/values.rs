//! How the values of arguments are written.

use std::str::FromStr;

use evenhand::data::Top;

/// A `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub name: String,
    pub value: String,
}

/// A type of the library that reads itself. (clap would shorten a `FromStr` to the first cause; this keeps all.)
pub fn parsed<T: FromStr<Err = evenhand::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|e: evenhand::Error| e.to_string())
}

pub fn assignment(text: &str) -> Result<Assignment, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok(Assignment { name: name.trim().into(), value: value.trim().into() })
        }
        _ => Err("it needs a name, `=` and a value, as in sex=female".into()),
    }
}

pub fn worth(text: &str) -> Result<(String, f64), String> {
    let wrong = || "it needs a segment, `=` and a number, as in gold=25".to_string();
    let (segment, value) = text.rsplit_once('=').ok_or_else(wrong)?;
    Ok((segment.trim().into(), finite(value.trim()).map_err(|_| wrong())?))
}

pub fn finite(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| "it needs a number such as 0.5".into())
}

pub fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "it needs a whole number of at least 1".into())
}

pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || "it needs a size such as 2GB or 500MB".to_string();
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let times = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1.0,
        "MB" | "M" => 1e6,
        "GB" | "G" => 1e9,
        "TB" | "T" => 1e12,
        "MIB" => f64::from(1 << 20),
        "GIB" => f64::from(1 << 30),
        _ => return Err(wrong()),
    };
    let bytes = number.parse::<f64>().map_err(|_| wrong())? * times;
    if (1.0..1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(wrong()) }
}

pub fn top(text: &str) -> Result<Top, String> {
    let wrong = || "it needs a number of rows such as 1000, or a share such as 10%".to_string();
    match text.trim().strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
            if percent > 0.0 && percent <= 100.0 { Ok(Top::Share(percent / 100.0)) } else { Err(wrong()) }
        }
        None => text.trim().parse().ok().filter(|n| *n > 0).map(Top::Count).ok_or_else(wrong),
    }
}

pub fn part(text: &str) -> Result<(String, String), String> {
    let wrong = || "it needs a segment, `=` and a column, as in gold=p_gold".to_string();
    let (segment, column) = text.split_once('=').ok_or_else(wrong)?;
    match (segment.trim(), column.trim()) {
        ("", _) | (_, "") => Err(wrong()),
        (segment, column) => Ok((segment.into(), column.into())),
    }
}

pub fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Ok(b'\t'),
        [c] if c.is_ascii() && !matches!(c, b'"' | b'\n' | b'\r') => Ok(*c),
        _ => Err("it needs one character such as ; or the word tab".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(top("1000"), Ok(Top::Count(1000)));
        assert_eq!(top("10%"), Ok(Top::Share(0.1)));
        assert!(top("0.1").is_err() && top("0").is_err() && top("120%").is_err() && top("NaN%").is_err());
        assert_eq!((delimiter(";"), delimiter("tab"), delimiter("\\t")), (Ok(b';'), Ok(b'\t'), Ok(b'\t')));
        assert!(delimiter("ab").is_err() && delimiter("é").is_err() && delimiter("\"").is_err());
        let over = assignment("income=>50K").unwrap();
        assert_eq!((over.name.as_str(), over.value.as_str()), ("income", ">50K"));
        assert!(assignment("income").is_err() && finite("inf").is_err());
    }
}
