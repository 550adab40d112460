//! What chance alone would show: lists in random order, drawn once for all statistics that ask.
//!
//! A list is cut into segments: each row (or tie block) its own up to position [`HEAD`], then stretches that grow with
//! the position, within which rows count as tied. The observed list and the drawn ones are measured alike, at the ends of
//! segments: the test keeps its level whatever the cut, and a draw costs the same for ten thousand rows or a billion.

use rand::Rng;
use rayon::prelude::*;

use super::Ranking;
use super::exposure::Attention;
use super::prefix::{Points, discount};
use crate::inference::bootstrap::Bootstrap;
use crate::inference::permutation::deal;
use crate::inference::rng::{binomial, stream};

/// Up to this position no rows are put together that are not tied.
const HEAD: usize = 2048;
/// After it a stretch is at most this part of the position where it begins.
const STRETCH: usize = 32;
/// Lists of at most so many rows are shuffled row by row.
const SHUFFLED: usize = 32_768;
/// Draws that share a stream.
const BLOCK: usize = 50;
/// Steps (rows or cells drawn) that a test may take in all, and the least draws that it makes all the same.
const STEPS: usize = 15_000_000;
const FEWEST: usize = 199;
/// Counts whose `x ln x` is kept in a table.
const TABLE: usize = 4096;

/// What is asked of chance.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The wanted shares, of which rows are then drawn; `None`: the same rows in random order.
    pub targets: Option<Vec<f64>>,
    /// The divergence of prefixes.
    pub divergence: bool,
    /// The groups whose distances at cut points are asked for, the largest of them.
    pub protected: Vec<usize>,
    /// Shares of the attention among the first so many.
    pub attention: Option<(Attention, usize)>,
    /// The difference of the mean exposure of two groups.
    pub exposure: Option<(Attention, usize, usize)>,
}

/// Which statistic: its place among the figures of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Divergence = 0,
    Difference = 1,
    Kl = 2,
    Ratio = 3,
    Attention = 4,
    Exposure = 5,
}

const KINDS: usize = 6;
type Figures = [f64; KINDS];

/// The figures of a list (in segments) and of lists drawn by chance.
#[derive(Debug, Clone, Default)]
pub(super) struct Chance {
    observed: Figures,
    draws: Vec<Figures>,
}

impl Chance {
    /// `p = (1 + draws of at least the observed) / (1 + draws)`.
    pub fn p_value(&self, kind: Kind) -> f64 {
        let observed = self.observed[kind as usize];
        let slack = 1e-9 * observed.abs();
        let more = self.draws.iter().filter(|d| d[kind as usize] >= observed - slack).count();
        (1 + more) as f64 / (1 + self.draws.len()) as f64
    }

    /// The draws' mean, and how far the list is above it; `None` without draws.
    pub fn mean(&self, kind: Kind) -> Option<(f64, f64)> {
        let mean = self.draws.iter().map(|d| d[kind as usize]).sum::<f64>() / self.draws.len() as f64;
        (!self.draws.is_empty() && mean.is_finite()).then(|| (mean, self.observed[kind as usize] - mean))
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Segment {
    rows: usize,
    /// The position of its last row.
    end: f64,
    /// The weight in the divergence of the prefixes that end in it.
    divergence: f64,
    /// The weight of the cut points in it.
    cut: f64,
    /// The attention that each of its rows draws.
    attention: f64,
    exposure: f64,
}

/// A list in segments, ready to be measured again and again.
struct Cut<'a> {
    asked: &'a Asked,
    segments: Vec<Segment>,
    sizes: Vec<f64>,
    /// `ln` of the wanted shares.
    logs: Vec<f64>,
    shares: Vec<f64>,
    /// For each protected group, its share and the largest its distances can be.
    protected: Vec<(usize, f64, [f64; 3])>,
    normaliser: f64,
    table: Vec<f64>,
}

/// A list drawn: the groups of segments of one row, the counts by group of the others.
#[derive(Clone)]
struct Drawn {
    singles: Vec<u32>,
    wide: Vec<f64>,
}

/// The distance at a cut point of `i` rows, `x` of them protected, where a share `p` of the whole list is.
pub(super) fn distance(kind: Kind, x: f64, i: f64, p: f64) -> f64 {
    let part = |a: f64, b: f64| if a > 0.0 { a * (a / b).log2() } else { 0.0 };
    match kind {
        Kind::Difference => (x / i - p).abs(),
        Kind::Kl => (part(x / i, p) + part(1.0 - x / i, 1.0 - p)).max(0.0),
        _ => {
            // A fraction with a zero on either side is 0, as its authors set it.
            let ratio = if x > 0.0 && x < i { x / (i - x) } else { 0.0 };
            (ratio - p / (1.0 - p)).abs()
        }
    }
}

/// The distances at cut points, with their place among the figures.
pub(super) const DISTANCES: [Kind; 3] = [Kind::Difference, Kind::Kl, Kind::Ratio];
/// Between cut points.
pub(super) const CUT: usize = 10;

/// The largest sum of distances that a list of `rows` with so many protected can have; 0 where there is no such figure.
pub(super) fn normaliser(kind: Kind, members: usize, cuts: &Points, rows: usize) -> f64 {
    if members == 0 || members >= rows || (kind == Kind::Ratio && 2 * members > rows) {
        return 0.0;
    }
    let p = members as f64 / rows as f64;
    let extreme = |first: bool| -> f64 {
        let of = |i: usize| if first { i.min(members) } else { i.saturating_sub(rows - members) };
        cuts.iter().map(|(i, weight)| weight * distance(kind, of(i) as f64, i as f64, p)).sum()
    };
    if kind == Kind::Ratio { extreme(false) } else { extreme(false).max(extreme(true)) }
}

impl<'a> Cut<'a> {
    fn of(ranking: &Ranking, asked: &'a Asked) -> (Self, Drawn) {
        let groups = ranking.groups();
        let mut counts: Vec<(usize, Vec<f64>)> = Vec::new();
        let mut singles = Vec::new();
        let (mut segments, mut wide): (Vec<Segment>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut room = 0;
        // Blocks are gathered into stretches: the open one is the last.
        for block in ranking.blocks() {
            if block.rows > room || counts.is_empty() {
                counts.push((0, vec![0.0; groups]));
                room = if block.start < HEAD { 0 } else { block.start / STRETCH };
            }
            room = room.saturating_sub(block.rows);
            if let Some((rows, open)) = counts.last_mut() {
                *rows += block.rows;
                block.entries.iter().for_each(|e| open[e.group] += e.rows);
            }
        }
        let mut end = 0;
        for (rows, open) in counts {
            let start = end;
            end += rows;
            if rows == 1 {
                singles.push(open.iter().position(|c| *c > 0.0).unwrap_or(0) as u32);
            } else {
                wide.extend(open);
            }
            let sum = |of: &dyn Fn(f64) -> f64, limit: usize| stretch(start, end.min(limit), of);
            let weight = |attention: Option<(Attention, usize)>| {
                attention.map_or(0.0, |(a, k)| sum(&|i| a.of(i), k) / rows as f64)
            };
            let cuts = if asked.protected.is_empty() { 0.0 } else { cut_weight(start, end) };
            segments.push(Segment {
                rows,
                end: end as f64,
                divergence: if asked.divergence { sum(&discount, end) } else { 0.0 },
                cut: cuts,
                attention: weight(asked.attention),
                exposure: weight(asked.exposure.map(|(a, _, _)| (a, end))),
            });
        }
        let rows = ranking.rows();
        let shares = asked.targets.clone().unwrap_or_else(|| ranking.shares());
        let all_cuts = Points::new(rows, CUT, |i| 1.0 / i.log2());
        let sizes = ranking.sizes().to_vec();
        let of = |g: &usize| {
            let members = ranking.group_rows(*g);
            (*g, members as f64 / rows as f64, DISTANCES.map(|kind| normaliser(kind, members, &all_cuts, rows)))
        };
        let cut = Cut {
            protected: asked.protected.iter().map(of).collect(),
            normaliser: segments.iter().map(|s| s.divergence).sum(),
            logs: shares.iter().map(|s| if *s > 0.0 { s.ln() } else { 0.0 }).collect(),
            table: (0..TABLE.min(rows + 1)).map(|x| x_ln_x(x as f64)).collect(),
            asked,
            segments,
            sizes,
            shares,
        };
        (cut, Drawn { singles, wide })
    }

    fn x_ln_x(&self, x: f64) -> f64 {
        if x < self.table.len() as f64 { self.table[x as usize] } else { x_ln_x(x) }
    }

    fn measure(&self, list: &Drawn) -> Figures {
        let groups = self.sizes.len();
        let (mut prefix, mut seen) = (vec![0.0; groups], vec![0.0; groups]);
        let mut sums = vec![[0.0; 3]; self.protected.len()];
        let (mut divergence, mut state, mut apart) = (0.0, 0.0, 0.0);
        let mut singles = list.singles.iter();
        let mut wide = list.wide.chunks(groups.max(1));
        for s in &self.segments {
            let mut add = |g: usize, c: f64| {
                let x = prefix[g];
                prefix[g] = x + c;
                if self.asked.divergence {
                    // KL of the prefix = (Σ x ln x − x ln share) / i − ln i: only the terms of changed groups move.
                    state += self.x_ln_x(x + c) - self.x_ln_x(x) - c * self.logs[g];
                }
                seen[g] += c * s.attention;
                if let Some((_, a, b)) = self.asked.exposure {
                    let side = if g == a { 1.0 / self.sizes[a] } else { 0.0 };
                    apart += c * s.exposure * if g == b { -1.0 / self.sizes[b] } else { side };
                }
            };
            if s.rows == 1 {
                add(singles.next().map_or(0, |g| *g as usize), 1.0);
            } else {
                let counts = wide.next().unwrap_or(&[]);
                counts.iter().enumerate().filter(|(_, c)| **c > 0.0).for_each(|(g, c)| add(g, *c));
            }
            divergence += s.divergence * (state / s.end - s.end.ln());
            if s.cut > 0.0 {
                for ((g, p, _), sum) in self.protected.iter().zip(&mut sums) {
                    let (x, i) = (prefix[*g], s.end);
                    let kl = (self.x_ln_x(x) + self.x_ln_x(i - x) - x * p.ln() - (i - x) * (1.0 - p).ln()) / i - i.ln();
                    sum[0] += s.cut * distance(Kind::Difference, x, i, *p);
                    sum[1] += s.cut * (kl / std::f64::consts::LN_2).max(0.0);
                    sum[2] += s.cut * distance(Kind::Ratio, x, i, *p);
                }
            }
        }
        let mut figures = [0.0; KINDS];
        figures[Kind::Divergence as usize] = if self.normaliser > 0.0 { divergence / self.normaliser } else { 0.0 };
        for ((_, _, most), sum) in self.protected.iter().zip(&sums) {
            for (at, kind) in DISTANCES.into_iter().enumerate().filter(|(at, _)| most[*at] > 0.0) {
                let figure = &mut figures[kind as usize];
                *figure = f64::max(*figure, sum[at] / most[at]);
            }
        }
        if self.asked.attention.is_some() {
            let sum: f64 = seen.iter().sum();
            seen.iter_mut().for_each(|s| *s /= sum);
            figures[Kind::Attention as usize] = super::exposure::jensen_shannon(&seen, &self.shares);
        }
        figures[Kind::Exposure as usize] = apart.abs();
        figures
    }

    /// The same rows in random order, drawn segment by segment.
    fn dealt<R: Rng>(&self, rng: &mut R, list: &mut Drawn) {
        let mut left = self.sizes.clone();
        let mut all: f64 = left.iter().sum();
        let groups = left.len();
        let mut single = 0;
        for (at, s) in self.segments.iter().enumerate() {
            if s.rows == 1 {
                let g = pick(rng, &left, all);
                left[g] -= 1.0;
                all -= 1.0;
                list.singles[single] = g as u32;
                single += 1;
            } else {
                let wide = at - single;
                let row = &mut list.wide[wide * groups..(wide + 1) * groups];
                if s.rows <= 16 {
                    row.fill(0.0);
                    for _ in 0..s.rows {
                        let g = pick(rng, &left, all);
                        left[g] -= 1.0;
                        all -= 1.0;
                        row[g] += 1.0;
                    }
                } else {
                    deal(rng, &[s.rows as f64], &mut left, row);
                    all -= s.rows as f64;
                }
            }
        }
    }

    /// Rows drawn one by one with the wanted shares.
    fn wanted<R: Rng>(&self, rng: &mut R, list: &mut Drawn) {
        let groups = self.shares.len();
        for single in &mut list.singles {
            *single = pick(rng, &self.shares, 1.0) as u32;
        }
        let sizes = self.segments.iter().filter(|s| s.rows > 1).map(|s| s.rows as f64);
        for (size, row) in sizes.zip(list.wide.chunks_mut(groups.max(1))) {
            let (mut rest, mut mass) = (size, 1.0);
            for (count, share) in row.iter_mut().zip(&self.shares) {
                let p = if mass > *share * (1.0 + 1e-12) { share / mass } else { 1.0 };
                *count = if *share > 0.0 { binomial(rng, rest, p) } else { 0.0 };
                rest -= *count;
                mass -= share;
            }
        }
    }

    /// The same rows in random order: all of them shuffled.
    fn shuffled<R: Rng>(&self, rng: &mut R, order: &mut [u32], list: &mut Drawn) {
        let (mut from, mut single) = (0, 0);
        let (groups, rows) = (self.sizes.len(), order.len());
        list.wide.fill(0.0);
        for (at, s) in self.segments.iter().enumerate() {
            for position in from..(from + s.rows).min(rows) {
                // What is left over for the last segment is there, in whatever order.
                if from + s.rows < rows {
                    // A product of 32 bits falls short of uniform by less than one part in 100,000 here.
                    let reach = (rows - position) as u64;
                    let step = (u64::from(rng.r#gen::<u32>()) * reach) >> 32;
                    order.swap(position, position + step as usize);
                }
                if s.rows == 1 {
                    list.singles[single] = order[position];
                } else {
                    list.wide[(at - single) * groups + order[position] as usize] += 1.0;
                }
            }
            from += s.rows;
            single += usize::from(s.rows == 1);
        }
    }
}

/// A group with a chance in proportion to `left`, whose sum is `all`.
fn pick<R: Rng>(rng: &mut R, left: &[f64], all: f64) -> usize {
    let mut at = rng.r#gen::<f64>() * all;
    for (group, l) in left.iter().enumerate() {
        if at < *l {
            return group;
        }
        at -= l;
    }
    left.iter().rposition(|l| *l > 0.0).unwrap_or(0)
}

pub(super) fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

/// The sum of a smooth function over the positions `start + 1 ..= end`.
pub(super) fn stretch(start: usize, end: usize, of: &dyn Fn(f64) -> f64) -> f64 {
    if end <= start {
        return 0.0;
    }
    let exact = end.min(start.max(HEAD) + 64);
    let mut sum: f64 = (start + 1..=exact).map(|i| of(i as f64)).sum();
    // Further on by the middles of stretches, each at most a 64th of its position.
    let mut at = exact;
    while at < end {
        let next = end.min(at + 1 + at / 64);
        sum += (next - at) as f64 * of((at + 1 + next) as f64 / 2.0);
        at = next;
    }
    sum
}

/// The weight of the cut points in `start + 1 ..= end`.
fn cut_weight(start: usize, end: usize) -> f64 {
    let (first, last) = (start / CUT, end / CUT);
    stretch(first, last, &|j| 1.0 / (CUT as f64 * j).log2())
}

/// A list against chance; the draws are those of the bootstrap, fewer where lists are long or groups many.
pub(super) fn against(ranking: &Ranking, asked: &Asked, bootstrap: Bootstrap) -> Chance {
    let (cut, list) = Cut::of(ranking, asked);
    let rows = ranking.rows();
    let shuffles = asked.targets.is_none() && rows <= SHUFFLED;
    let cells = cut.segments.len() * (1 + asked.protected.len() / CUT)
        + 20 * list.wide.len()
        + if shuffles { rows } else { list.singles.len() * ranking.groups() };
    let count = bootstrap.replicates.min((STEPS / cells.max(1)).max(FEWEST));
    let mut order: Vec<u32> = Vec::new();
    if shuffles {
        for (group, size) in cut.sizes.iter().enumerate() {
            order.extend(std::iter::repeat_n(group as u32, *size as usize));
        }
    }
    let draws: Vec<Vec<Figures>> = (0..count.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let mut rng = stream(bootstrap.seed, 1, block);
            let (mut drawn, mut order) = (list.clone(), order.clone());
            (block * BLOCK..count.min((block + 1) * BLOCK))
                .map(|_| {
                    if asked.targets.is_some() {
                        cut.wanted(&mut rng, &mut drawn);
                    } else if shuffles {
                        cut.shuffled(&mut rng, &mut order, &mut drawn);
                    } else {
                        cut.dealt(&mut rng, &mut drawn);
                    }
                    cut.measure(&drawn)
                })
                .collect()
        })
        .collect();
    Chance { observed: cut.measure(&list), draws: draws.concat() }
}
