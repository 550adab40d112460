//! Expectations over prefixes of a list whose ties are broken at random.

use super::Ranking;

/// The discount of a position (from 1): `1 / log2(1 + position)`.
pub(super) fn discount(position: f64) -> f64 {
    1.0 / (1.0 + position).log2()
}

/// Beyond this standard deviation of a count its law is taken as normal, at points a 32nd of it apart.
const WIDE: f64 = 100.0;

/// `E f(X)` where X of `draws` from a block of `rows` are among its `marked` ones (all whole numbers).
pub(super) fn over_ties(rows: f64, marked: f64, draws: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (least, most) = ((draws + marked - rows).max(0.0), draws.min(marked));
    if least >= most {
        return f(most);
    }
    let share = marked / rows;
    let mean = draws * share;
    let deviation = (mean * (1.0 - share) * (rows - draws) / (rows - 1.0)).sqrt();
    let (mut sum, mut mass) = (0.0, 0.0);
    if deviation > WIDE {
        for step in -256..=256 {
            let z = f64::from(step) / 32.0;
            let x = (mean + z * deviation).clamp(least, most);
            let weight = (-0.5 * z * z).exp();
            sum += weight * f(x);
            mass += weight;
        }
        return sum / mass;
    }
    let mode = ((draws + 1.0) * (marked + 1.0) / (rows + 2.0)).floor().clamp(least, most);
    let (mut x, mut weight) = (mode, 1.0);
    while x <= most && weight > 1e-18 * mass {
        sum += weight * f(x);
        mass += weight;
        weight *= (marked - x) * (draws - x) / ((x + 1.0) * (rows - marked - draws + x + 1.0));
        x += 1.0;
    }
    (x, weight) = (mode, 1.0);
    while x > least {
        weight *= x * (rows - marked - draws + x) / ((marked - x + 1.0) * (draws - x + 1.0));
        x -= 1.0;
        if !(weight > 1e-18 * mass) {
            break;
        }
        sum += weight * f(x);
        mass += weight;
    }
    sum / mass
}

/// The sum over the prefixes of `step, 2·step, ...` rows, up to `limit`, and over groups, of the expectation of
/// `f(group, rows of the group in the prefix, rows of the prefix)`.
pub(super) fn over_prefixes(ranking: &Ranking, step: usize, limit: usize, f: impl Fn(usize, f64, f64) -> f64) -> f64 {
    let step = step.max(1);
    let mut before = vec![0.0; ranking.groups()];
    let mut marked = vec![0.0; ranking.groups()];
    let (mut sum, mut prefix) = (0.0, step);
    for block in ranking.blocks() {
        marked.fill(0.0);
        block.entries.iter().for_each(|e| marked[e.group] += e.rows);
        while prefix <= (block.start + block.rows).min(limit) {
            let draws = (prefix - block.start) as f64;
            for group in 0..before.len() {
                sum +=
                    over_ties(block.rows as f64, marked[group], draws, |x| f(group, before[group] + x, prefix as f64));
            }
            prefix += step;
        }
        before.iter_mut().zip(&marked).for_each(|(b, m)| *b += m);
        if prefix > limit {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_and_the_variance_over_ties() {
        for (rows, marked, draws) in [(10.0, 4.0, 3.0), (50.0, 20.0, 33.0), (1e6, 3e5, 4e5), (7.0, 7.0, 3.0)] {
            let mean = draws * marked / rows;
            let variance = mean * (1.0 - marked / rows) * (rows - draws) / (rows - 1.0);
            let found = over_ties(rows, marked, draws, |x| x);
            assert!((found / mean - 1.0).abs() < 1e-10, "{rows} {found} {mean}");
            let found = over_ties(rows, marked, draws, |x| (x - mean) * (x - mean));
            assert!((found - variance).abs() < 1e-6 * (1.0 + variance), "{rows} {found} {variance}");
        }
    }
}
