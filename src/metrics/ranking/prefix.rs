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

/// Up to so many prefixes each is looked at; further on one stands for a stretch.
const EXACT: usize = 16_384;
/// A stretch is at most this part of the position where it begins.
const STRETCH: usize = 256;
/// In a larger tie block so many prefixes stand for all.
const IN_BLOCK: usize = 16;

/// Positions at which prefixes are looked at, each with the weight of the positions that it stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct Points {
    at: Vec<(usize, f64)>,
}

impl Points {
    /// Every `step`-th position up to `limit` with weight `weight(position)` (smooth); far down the list stretches of
    /// them, by their middles.
    pub fn new(limit: usize, step: usize, weight: impl Fn(f64) -> f64) -> Self {
        let step = step.max(1);
        let (count, mut next, mut at) = (limit / step, 1, Vec::new());
        while next <= count {
            let size = if next <= EXACT { 1 } else { (next / STRETCH).min(count + 1 - next) };
            let middle = next as f64 + (size - 1) as f64 / 2.0;
            at.push(((next + size / 2) * step, size as f64 * weight(middle * step as f64)));
            next += size;
        }
        Points { at }
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, f64)> {
        self.at.iter().copied()
    }
}

/// The sum over points and groups of the weight times the expectation of `f(group, rows of the group in the prefix, rows of
/// the prefix)`.
pub(super) fn over_prefixes(
    ranking: &Ranking,
    points: &Points,
    groups: &[usize],
    f: impl Fn(usize, f64, f64) -> f64,
) -> f64 {
    let mut before = vec![0.0; ranking.groups()];
    let mut marked = vec![0.0; ranking.groups()];
    let (mut sum, mut next) = (0.0, 0);
    for block in ranking.blocks() {
        if next >= points.at.len() {
            break;
        }
        let end = block.start + block.rows;
        let inside = points.at[next..].partition_point(|p| p.0 <= end);
        let all = &points.at[next..next + inside];
        next += inside;
        if block.rows == 1 {
            before[block.entries[0].group] += 1.0;
            for (prefix, weight) in all {
                sum += weight * groups.iter().map(|g| f(*g, before[*g], *prefix as f64)).sum::<f64>();
            }
            continue;
        }
        marked.fill(0.0);
        block.entries.iter().for_each(|e| marked[e.group] += e.rows);
        let size = if all.len() <= 4 * IN_BLOCK { 1 } else { all.len().div_ceil(IN_BLOCK) };
        for some in all.chunks(size) {
            let (prefix, weight) = (some[some.len() / 2].0, some.iter().map(|p| p.1).sum::<f64>());
            let draws = (prefix - block.start) as f64;
            for g in groups {
                let of = |x| f(*g, before[*g] + x, prefix as f64);
                sum += weight * over_ties(block.rows as f64, marked[*g], draws, of);
            }
        }
        before.iter_mut().zip(&marked).for_each(|(b, m)| *b += m);
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
