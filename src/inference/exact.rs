//! Exact tests of a two-by-two table.

use super::special::{ln_binomial_pmf, normal_sf};

/// The largest `n1 · n2` that [`boschloo`] takes on.
pub const BOSCHLOO_LIMIT: u64 = 25_000_000;

/// A hypergeometric distribution: successes in the first group when all margins are given.
pub(super) struct Margins {
    /// Trials of the first and of the second group, and successes in all.
    pub n1: f64,
    pub n2: f64,
    pub x: f64,
}

impl Margins {
    /// The log probability of `k` successes in the first group: a product of binomials, accurate for large counts.
    pub fn ln_pmf(&self, k: f64) -> f64 {
        let rate = self.x / (self.n1 + self.n2);
        ln_binomial_pmf(k, self.n1, rate) + ln_binomial_pmf(self.x - k, self.n2, rate)
            - ln_binomial_pmf(self.x, self.n1 + self.n2, rate)
    }

    pub fn lowest(&self) -> f64 {
        (self.x - self.n2).max(0.0)
    }

    pub fn highest(&self) -> f64 {
        self.x.min(self.n1)
    }

    pub fn mode(&self) -> f64 {
        ((self.x + 1.0) * (self.n1 + 1.0) / (self.n1 + self.n2 + 2.0)).floor()
    }

    /// The log of the tail from `k` outwards (`up`: k and more), for `k` on its own side of the mode. Terms shrink
    /// geometrically, and the sum stops once they no longer count.
    fn ln_tail(&self, k: f64, up: bool) -> f64 {
        let (mut sum, mut term, mut k) = (1.0, 1.0, k);
        let first = self.ln_pmf(k);
        loop {
            let (n1, n2, x) = (self.n1, self.n2, self.x);
            let ratio = if up {
                (n1 - k) * (x - k) / ((k + 1.0) * (n2 - x + k + 1.0))
            } else {
                k * (n2 - x + k) / ((n1 - k + 1.0) * (x - k + 1.0))
            };
            k += if up { 1.0 } else { -1.0 };
            term *= ratio;
            sum += term;
            if !(term > 1e-17 * sum) {
                return first + sum.ln();
            }
        }
    }

    /// P(K <= k), by the smaller tail.
    fn lower_tail(&self, k: f64) -> f64 {
        if k < self.lowest() {
            0.0
        } else if k >= self.highest() {
            1.0
        } else if k <= self.mode() {
            self.ln_tail(k, false).exp().min(1.0)
        } else {
            (1.0 - self.ln_tail(k + 1.0, true).exp()).max(0.0)
        }
    }
}

/// Fisher's exact test of the table `[[a, b], [c, d]]` (rows are the groups, or the columns: it is the same), two-sided:
/// the probability, given the margins, of all tables no likelier than the observed one, within a relative 1e-7.
///
/// Starts from the observed table and its counterpart past the mode and sums outwards until terms no longer count: some
/// thousands of steps for counts of 1e6. An empty margin gives 1. Where the margins make the standard deviation exceed
/// 1e6, the z test, then indistinguishable, answers.
///
/// # References
/// Fisher (1935), The logic of inductive inference, JRSS 98. The tolerance is R's and scipy's.
///
/// ```
/// let p = evenhand::inference::hypothesis::fisher_exact(48, 32, 12, 28);
/// assert!((p - 0.0034092218).abs() < 1e-10);
/// ```
pub fn fisher_exact(a: u64, b: u64, c: u64, d: u64) -> f64 {
    let [a, b, c, d] = [a, b, c, d].map(|count| count as f64);
    let margins = Margins { n1: a + b, n2: c + d, x: a + c };
    let n = a + b + c + d;
    if margins.lowest() >= margins.highest() {
        return 1.0;
    }
    let variance = (a + b) / n * ((c + d) / n) * ((a + c) / n) * (b + d);
    if variance > 1e12 {
        let z = (a - (a + b) * ((a + c) / n)) / variance.sqrt();
        return (2.0 * normal_sf(z.abs())).min(1.0);
    }
    let observed = margins.ln_pmf(a);
    let bound = observed + 1e-7;
    let mode = margins.mode().clamp(margins.lowest(), margins.highest());
    if margins.ln_pmf(mode) <= bound {
        return 1.0;
    }
    let up = a > mode;
    let near = margins.ln_tail(a, up).exp();
    // The first table on the other side that is no likelier: bisection, since probabilities fall away from the mode.
    let (mut inside, mut outside) = if up { (mode, margins.lowest() - 1.0) } else { (mode, margins.highest() + 1.0) };
    while (inside - outside).abs() > 1.0 {
        let middle = ((inside + outside) / 2.0).floor();
        if margins.ln_pmf(middle) <= bound {
            outside = middle;
        } else {
            inside = middle;
        }
    }
    let exists = outside >= margins.lowest() && outside <= margins.highest();
    let far = if exists { margins.ln_tail(outside, !up).exp() } else { 0.0 };
    (near + far).min(1.0)
}

/// Boschloo's exact test of equal rates, `a` of `a + b` against `c` of `c + d`, two-sided: twice the smaller one-sided
/// p-value, where each is the largest probability, over the common rate, of tables whose one-sided Fisher p-value is no
/// larger than the observed one.
///
/// Unconditional (only the two group sizes are fixed), and uniformly more powerful than Fisher's test. **Rows are the
/// groups** (scipy's `boschloo_exact` takes columns). Searches 1,000 rates and refines around the best. `None` where a
/// group is empty or `n1 · n2` exceeds [`BOSCHLOO_LIMIT`]; use [`fisher_exact`] then.
///
/// # References
/// Boschloo (1970), Raised conditional level of significance for the 2×2-table when testing the equality of two
/// probabilities, Statistica Neerlandica 24.
///
/// ```
/// let p = evenhand::inference::hypothesis::boschloo(48, 12, 32, 28).expect("small groups");
/// assert!((p - 0.0024474030).abs() < 1e-8);
/// ```
pub fn boschloo(a: u64, b: u64, c: u64, d: u64) -> Option<f64> {
    let (n1, n2) = (a.checked_add(b)?, c.checked_add(d)?);
    if n1 == 0 || n2 == 0 || n1.checked_mul(n2)? > BOSCHLOO_LIMIT {
        return None;
    }
    let less = boschloo_less(a, n1, c, n2);
    let greater = boschloo_less(c, n2, a, n1);
    Some((2.0 * less.min(greater)).min(1.0))
}

/// The one-sided p-value against "the first rate is not smaller".
fn boschloo_less(x1: u64, n1: u64, x2: u64, n2: u64) -> f64 {
    let tail = |i: u64, j: u64| Margins { n1: n1 as f64, n2: n2 as f64, x: (i + j) as f64 }.lower_tail(i as f64);
    let bound = tail(x1, x2) * (1.0 + 1e-9);
    // For each i, the tables (i, j) with j >= start[i] are at least as extreme; the start rises with i.
    let mut starts = Vec::with_capacity(n1 as usize + 1);
    let mut start = 0;
    for i in 0..=n1 {
        while start <= n2 && tail(i, start) > bound {
            start += 1;
        }
        starts.push(start as usize);
    }
    let (first_log, second_log) = (ln_choose(n1), ln_choose(n2));
    let mut second = vec![0.0; n2 as usize + 2];
    let mut probability = |rate: f64| {
        let (yes, no) = (rate.ln(), (-rate).ln_1p());
        let pmf = |logs: &[f64], i: usize| (logs[i] + i as f64 * yes + (logs.len() - 1 - i) as f64 * no).exp();
        let mut sum = 0.0;
        for j in (0..=n2 as usize).rev() {
            sum += pmf(&second_log, j);
            second[j] = sum;
        }
        starts.iter().enumerate().map(|(i, &start)| pmf(&first_log, i) * second[start]).sum::<f64>()
    };
    let mut best = (0.0, 0.0);
    for step in 1..1000 {
        let rate = f64::from(step) / 1000.0;
        let p = probability(rate);
        if p > best.0 {
            best = (p, rate);
        }
    }
    // Golden section around the best grid point.
    let (mut low, mut high) = (best.1 - 0.001, best.1 + 0.001);
    let ratio = 0.618_033_988_749_894_9;
    for _ in 0..30 {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        let (p_left, p_right) = (probability(left), probability(right));
        best.0 = f64::max(best.0, p_left.max(p_right));
        if p_left > p_right { high = right } else { low = left }
    }
    best.0.min(1.0)
}

/// The logs of all binomial coefficients of `n`.
fn ln_choose(n: u64) -> Vec<f64> {
    let n = n as f64;
    (0..=n as u64).map(|i| ln_binomial_pmf(i as f64, n, 0.5) + n * std::f64::consts::LN_2).collect()
}
