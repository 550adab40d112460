//! Two tallies, cell by cell.

use evenhand::tally::Tally;
use serde_json::Value;

use crate::Anyhow;

/// By how much sums of weights may differ, relative to their size: engines add in an order of their own.
const ROUNDING: f64 = 1e-12;

/// How far the sums of two tallies are apart, relative to their size; an error where anything else differs, or they are further
/// apart than rounding makes them.
pub fn same(one: &Tally, other: &Tally) -> Anyhow<f64> {
    let (one, other) = (serde_json::from_str(&one.to_json()?)?, serde_json::from_str(&other.to_json()?)?);
    let mut far = 0.0;
    walk("the tally", &one, &other, &mut far)?;
    match far <= ROUNDING {
        true => Ok(far),
        false => Err(format!("sums differ by {far:e} of their size, more than {ROUNDING:e}").into()),
    }
}

fn walk(at: &str, one: &Value, other: &Value, far: &mut f64) -> Anyhow<()> {
    let differ = || Err(format!("{at}: {one} and {other} differ").into());
    match (one, other) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().try_for_each(|(i, (a, b))| walk(&format!("{at}, place {i}"), a, b, far))
        }
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter().zip(b.values()).try_for_each(|((key, a), b)| walk(&format!("{at}, {key}"), a, b, far))
        }
        // Counts are whole numbers, and exact.
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            *far = far.max(if a == b { 0.0 } else { (a - b).abs() / a.abs().max(b.abs()) });
            Ok(())
        }
        (Value::Array(a), Value::Array(b)) => Err(format!("{at}: {} and {} entries", a.len(), b.len()).into()),
        _ if one == other => Ok(()),
        _ => differ(),
    }
}
