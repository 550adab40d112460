//! Many lists: means over queries with intervals, attention amortised over time, and what a recommender shows.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::exposure::Attention;
use super::skew::support;
use crate::metrics::{Confidence, Estimate, Undefined};

/// The mean of a figure over queries (lists), each counting once, with Student's t interval.
///
/// Queries where the figure is undefined (`None`, not finite) are left out; the support says how many remain. `NoRows`
/// where none remains; no interval for a single one.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::many::mean};
/// let found = mean(&[Some(0.2), None, Some(0.4), Some(0.6)], Confidence::at(0.95));
/// assert!((found.value.unwrap() - 0.4).abs() < 1e-12 && found.support.rows == 3.0);
/// // t(2 df) = 4.302653, standard error 0.2 / √3
/// assert!((found.low.unwrap() - (0.4 - 4.302653 * 0.2 / 3f64.sqrt())).abs() < 1e-6);
/// ```
pub fn mean(figures: &[Option<f64>], confidence: Confidence) -> Estimate {
    let known: Vec<f64> = figures.iter().filter_map(|f| f.filter(|v| v.is_finite())).collect();
    let n = known.len() as f64;
    if known.is_empty() {
        return Estimate::undefined(Undefined::NoRows, support(0.0));
    }
    let mean = known.iter().sum::<f64>() / n;
    let estimate = Estimate::of(mean, support(n));
    let variance = known.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    let level = confidence.level;
    match StudentsT::new(0.0, 1.0, n - 1.0) {
        Ok(t) if n > 1.0 && level > 0.0 && level < 1.0 => {
            let half = t.inverse_cdf(0.5 + level / 2.0) * (variance / n).sqrt();
            estimate.between(mean - half, mean + half)
        }
        _ => estimate,
    }
}

/// The means of a figure over the queries of each user group: `users[q]` is the group code of query q.
///
/// As [`mean`] for each of the `groups`; a query whose code is not below `groups` is left out.
///
/// # Examples
/// ```
/// use evenhand::metrics::{Confidence, ranking::many::mean_by_user_group};
/// let gains = [Some(1.0), Some(0.5), Some(0.7)];
/// let means = mean_by_user_group(&gains, &[0, 1, 1], 2, Confidence::at(0.95));
/// assert!((means[1].value.unwrap() - 0.6).abs() < 1e-12);
/// ```
pub fn mean_by_user_group(
    figures: &[Option<f64>],
    users: &[usize],
    groups: usize,
    confidence: Confidence,
) -> Vec<Estimate> {
    let mut by_group = vec![Vec::new(); groups];
    for (figure, group) in figures.iter().zip(users) {
        if let Some(list) = by_group.get_mut(*group) {
            list.push(*figure);
        }
    }
    by_group.iter().map(|figures| mean(figures, confidence)).collect()
}

/// Attention and relevance that items have gathered over a series of rankings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Amortised {
    /// Each item's attention, summed over the rankings; each ranking hands out 1.
    pub attention: Vec<f64>,
    /// Each item's relevance, summed over the rankings; each ranking hands out 1.
    pub relevance: Vec<f64>,
    /// `Σ |attention − relevance|` over items: 0 is equity.
    pub unfairness: f64,
}

/// Equity of attention, amortised over a series of rankings: `Σ_i |Σ_t a_i(t) − Σ_t r_i(t)|`, with attention and relevance
/// scaled to sum to 1 in each ranking.
///
/// `rankings[t]`: item numbers in `0..items`, best first, with their relevance in [0, ∞); an item number that is too
/// large keeps its place and is not counted. In [0, 2T] for T rankings. Every ranking counts; one without relevance hands
/// out no attention either, as there is nothing to be in proportion to.
///
/// # Errors
/// `NoRows` where there is no ranking with rows, `NoMerit` where none has relevance.
///
/// # References
/// Biega, Gummadi, Weikum (2018), Equity of attention: amortizing individual fairness in rankings, SIGIR.
///
/// # Examples
/// ```
/// use evenhand::metrics::ranking::{exposure::Attention, many::equity_of_attention};
/// // Two items of equal merit that take turns at the top: fair over the two rankings, in neither alone.
/// let turns: [&[(usize, f64)]; 2] = [&[(0, 1.0), (1, 1.0)], &[(1, 1.0), (0, 1.0)]];
/// let one = equity_of_attention(&turns[..1], 2, Attention::Logarithmic)?.unfairness;
/// assert!(one > 0.2 && equity_of_attention(&turns, 2, Attention::Logarithmic)?.unfairness < 1e-12);
/// # Ok::<(), evenhand::metrics::Undefined>(())
/// ```
pub fn equity_of_attention(
    rankings: &[&[(usize, f64)]],
    items: usize,
    attention: Attention,
) -> Result<Amortised, Undefined> {
    if rankings.iter().all(|r| r.is_empty()) {
        return Err(Undefined::NoRows);
    }
    let merit = |r: f64| if r > 0.0 && r.is_finite() { r } else { 0.0 };
    let mut found = Amortised { attention: vec![0.0; items], relevance: vec![0.0; items], unfairness: 0.0 };
    let mut counted = false;
    for ranking in rankings {
        let relevance: f64 = ranking.iter().map(|(_, r)| merit(*r)).sum();
        let all: f64 = (1..=ranking.len()).map(|i| attention.at(i)).sum();
        if relevance <= 0.0 || all <= 0.0 {
            continue;
        }
        counted = true;
        for (at, (item, r)) in ranking.iter().enumerate().filter(|(_, (item, _))| *item < items) {
            found.attention[*item] += attention.at(at + 1) / all;
            found.relevance[*item] += merit(*r) / relevance;
        }
    }
    if !counted {
        return Err(Undefined::NoMerit);
    }
    found.unfairness = found.attention.iter().zip(&found.relevance).map(|(a, r)| (a - r).abs()).sum();
    Ok(found)
}

/// What a recommender shows: for each user, the share with which each item is shown, 0 or 1 but for ties.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shown {
    items: usize,
    /// `shown[user * items + item]`.
    shown: Vec<f64>,
}

impl Shown {
    /// The items of each user whose score is at least `least`; `scores[user * items + item]`, NaN is not shown.
    pub fn from_threshold(scores: &[f64], items: usize, least: f64) -> Self {
        let whole = scores.len().checked_div(items).unwrap_or(0) * items;
        Shown { items, shown: scores[..whole].iter().map(|s| f64::from(u8::from(*s >= least))).collect() }
    }

    /// The `k` items of each user with the highest scores; items tied at the edge are shown in part, so that k is k.
    pub fn from_top(scores: &[f64], items: usize, k: usize) -> Self {
        let whole = scores.len().checked_div(items).unwrap_or(0) * items;
        let mut shown = Vec::with_capacity(whole);
        let mut sorted: Vec<f64> = Vec::with_capacity(items);
        for row in scores[..whole].chunks(items.max(1)) {
            sorted.clear();
            sorted.extend(row.iter().filter(|s| !s.is_nan()));
            sorted.sort_by(|a, b| b.total_cmp(a));
            let edge = if k == 0 { None } else { sorted.get(k - 1).or(sorted.last()).copied() };
            let above = sorted.iter().filter(|s| edge.is_some_and(|e| **s > e)).count() as f64;
            let tied = sorted.iter().filter(|s| Some(**s) == edge).count() as f64;
            let part = ((k as f64 - above) / tied).min(1.0);
            shown.extend(row.iter().map(|s| match edge {
                Some(edge) if *s > edge => 1.0,
                Some(edge) if *s == edge => part,
                _ => 0.0,
            }));
        }
        Shown { items, shown }
    }

    fn users(&self) -> impl Iterator<Item = &[f64]> {
        self.shown.chunks(self.items.max(1))
    }

    /// How often each item is shown to the users of `group` (codes by user); `None`: to all.
    fn counts(&self, of: Option<(&[usize], usize)>) -> Vec<f64> {
        let mut counts = vec![0.0; self.items];
        for (user, row) in self.users().enumerate() {
            if of.is_none_or(|(codes, group)| codes.get(user) == Some(&group)) {
                counts.iter_mut().zip(row).for_each(|(count, shown)| *count += shown);
            }
        }
        counts
    }

    fn shares(&self, of: Option<(&[usize], usize)>) -> Result<Vec<f64>, Undefined> {
        let counts = self.counts(of);
        let all: f64 = counts.iter().sum();
        if all > 0.0 { Ok(counts.iter().map(|c| c / all).collect()) } else { Err(Undefined::NobodySelected) }
    }

    /// Aggregate diversity: the share of items shown to anybody, in [0, 1].
    ///
    /// # Errors
    /// `NoRows` without items.
    ///
    /// # Examples
    /// ```
    /// use evenhand::metrics::ranking::many::Shown;
    /// let shown = Shown::from_top(&[0.9, 0.1, 0.4, 0.8, 0.2, 0.3], 3, 1);
    /// assert_eq!(shown.aggregate_diversity(), Ok(1.0 / 3.0));
    /// ```
    pub fn aggregate_diversity(&self) -> Result<f64, Undefined> {
        let shown = self.counts(None).iter().filter(|c| **c > 0.0).count() as f64;
        if self.items > 0 { Ok(shown / self.items as f64) } else { Err(Undefined::NoRows) }
    }

    /// The Gini index of how often items are shown: `Σ (2 i − m − 1) share_(i) / (m − 1)` over m items by rising share; 0
    /// where all are shown alike, 1 where only one is.
    ///
    /// # Errors
    /// `NobodySelected` where nothing is shown, `NoVariation` with fewer than two items.
    ///
    /// # Examples
    /// ```
    /// use evenhand::metrics::ranking::many::Shown;
    /// assert_eq!(Shown::from_threshold(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0], 3, 0.5).gini_index(), Ok(1.0));
    /// ```
    pub fn gini_index(&self) -> Result<f64, Undefined> {
        if self.items < 2 {
            return Err(Undefined::NoVariation);
        }
        let mut shares = self.shares(None)?;
        shares.sort_by(f64::total_cmp);
        let m = self.items as f64;
        Ok(shares.iter().enumerate().map(|(i, s)| (2.0 * i as f64 - m + 1.0) * s).sum::<f64>() / (m - 1.0))
    }

    /// The entropy of items' shares of what is shown, `−Σ p ln p`, in [0, ln items].
    ///
    /// # Errors
    /// `NobodySelected` where nothing is shown.
    ///
    /// # Examples
    /// ```
    /// use evenhand::metrics::ranking::many::Shown;
    /// let shown = Shown::from_threshold(&[1.0, 1.0, 0.0], 3, 0.5);
    /// assert!((shown.exposure_entropy().unwrap() - 2f64.ln()).abs() < 1e-12);
    /// ```
    pub fn exposure_entropy(&self) -> Result<f64, Undefined> {
        let part = |p: &f64| if *p > 0.0 { p * p.ln() } else { 0.0 };
        Ok(0.0 - self.shares(None)?.iter().map(part).sum::<f64>())
    }

    /// The average recommendation popularity: over users with anything shown, the mean of how often (to how many users)
    /// their items are shown.
    ///
    /// # Errors
    /// `NobodySelected` where nothing is shown.
    ///
    /// # Examples
    /// ```
    /// use evenhand::metrics::ranking::many::Shown;
    /// let shown = Shown::from_threshold(&[1.0, 1.0, 1.0, 0.0], 2, 0.5);
    /// assert_eq!(shown.average_recommendation_popularity(), Ok(1.75)); // (1.5 + 2) / 2
    /// ```
    pub fn average_recommendation_popularity(&self) -> Result<f64, Undefined> {
        let counts = self.counts(None);
        let (mut sum, mut users) = (0.0, 0.0);
        for row in self.users() {
            let shown: f64 = row.iter().sum();
            if shown > 0.0 {
                sum += row.iter().zip(&counts).map(|(s, c)| s * c).sum::<f64>() / shown;
                users += 1.0;
            }
        }
        if users > 0.0 { Ok(sum / users) } else { Err(Undefined::NobodySelected) }
    }

    /// The total variation between what users of groups `a` and `b` are shown: `½ Σ |share_a − share_b|` over items, in
    /// [0, 1]; `codes` holds each user's group.
    ///
    /// # Errors
    /// `NobodySelected` where one of the groups is shown nothing.
    ///
    /// # Examples
    /// ```
    /// use evenhand::metrics::ranking::many::Shown;
    /// let shown = Shown::from_threshold(&[1.0, 1.0, 1.0, 0.0], 2, 0.5);
    /// assert_eq!(shown.exposure_l1(&[0, 1], 0, 1), Ok(0.5));
    /// ```
    pub fn exposure_l1(&self, codes: &[usize], a: usize, b: usize) -> Result<f64, Undefined> {
        let (p, q) = (self.shares(Some((codes, a)))?, self.shares(Some((codes, b)))?);
        Ok(0.5 * p.iter().zip(&q).map(|(p, q)| (p - q).abs()).sum::<f64>())
    }

    /// The Kullback–Leibler divergence of what users of `a` are shown from what users of `b` are: `Σ p ln(p / q)`.
    ///
    /// # Errors
    /// As [`exposure_l1`](Self::exposure_l1); `DifferentSupports` where an item is shown to `a` and never to `b` (it would
    /// be infinite).
    ///
    /// # Examples
    /// ```
    /// use evenhand::metrics::{Undefined, ranking::many::Shown};
    /// let shown = Shown::from_threshold(&[1.0, 1.0, 1.0, 0.0], 2, 0.5);
    /// assert_eq!(shown.exposure_kl(&[0, 1], 0, 1), Err(Undefined::DifferentSupports));
    /// assert!((shown.exposure_kl(&[0, 1], 1, 0).unwrap() - 2f64.ln()).abs() < 1e-12);
    /// ```
    pub fn exposure_kl(&self, codes: &[usize], a: usize, b: usize) -> Result<f64, Undefined> {
        let (p, q) = (self.shares(Some((codes, a)))?, self.shares(Some((codes, b)))?);
        if p.iter().zip(&q).any(|(p, q)| *p > 0.0 && *q <= 0.0) {
            return Err(Undefined::DifferentSupports);
        }
        let part = |(p, q): (&f64, &f64)| if *p > 0.0 { p * (p / q).ln() } else { 0.0 };
        Ok(p.iter().zip(&q).map(part).sum::<f64>().max(0.0))
    }

    /// Each user's precision, recall and F1 of what is shown against what is relevant (above 0 in `relevant`).
    ///
    /// `None` where a figure is over zero: nothing shown, nothing relevant. Average with [`mean_by_user_group`]; the ratio
    /// between user groups is that of the means.
    ///
    /// # Examples
    /// ```
    /// use evenhand::metrics::ranking::many::Shown;
    /// let shown = Shown::from_threshold(&[1.0, 1.0, 0.0], 3, 0.5);
    /// let user = shown.retrieval(&[1.0, 0.0, 1.0])[0];
    /// assert_eq!((user.precision, user.recall, user.f1), (Some(0.5), Some(0.5), Some(0.5)));
    /// ```
    pub fn retrieval(&self, relevant: &[f64]) -> Vec<UserRetrieval> {
        let one = |(shown, relevant): (&[f64], &[f64])| {
            let hits: f64 = shown.iter().zip(relevant).filter(|(_, r)| **r > 0.0).map(|(s, _)| s).sum();
            let (all, wanted) = (shown.iter().sum::<f64>(), relevant.iter().filter(|r| **r > 0.0).count() as f64);
            let over = |x: f64, n: f64| (n > 0.0).then(|| x / n);
            UserRetrieval { precision: over(hits, all), recall: over(hits, wanted), f1: over(2.0 * hits, all + wanted) }
        };
        self.users().zip(relevant.chunks(self.items.max(1))).map(one).collect()
    }
}

/// How good what one user is shown is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct UserRetrieval {
    /// The share of what is shown that is relevant.
    pub precision: Option<f64>,
    /// The share of what is relevant that is shown.
    pub recall: Option<f64>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often 47 women and 73 men were shown each of 25 offers.
    const OFFERS: [[usize; 25]; 2] = [
        [0, 28, 45, 16, 38, 9, 5, 10, 3, 8, 47, 21, 9, 8, 47, 16, 47, 16, 18, 47, 43, 28, 13, 47, 12],
        [0, 46, 69, 25, 59, 15, 11, 28, 11, 28, 73, 46, 25, 18, 73, 36, 73, 33, 31, 73, 64, 41, 19, 73, 33],
    ];

    #[test]
    fn holisticai_agrees_on_offers() {
        let codes: Vec<usize> = (0..120).map(|user| usize::from(user >= 47)).collect();
        let at = |user: usize, item: usize| {
            let (group, place) = if user < 47 { (0, user) } else { (1, user - 47) };
            f64::from(u8::from(place < OFFERS[group][item]))
        };
        let scores: Vec<f64> = (0..120 * 25).map(|i| at(i / 25, i % 25)).collect();
        let shown = Shown::from_threshold(&scores, 25, 0.5);
        // holisticai 1.0.14, threshold 0.5.
        let close = |found: Result<f64, Undefined>, expected: f64| assert!((found.unwrap() - expected).abs() < 1e-12);
        close(shown.aggregate_diversity(), 0.96);
        close(shown.gini_index(), 0.36058501683501687);
        close(shown.exposure_entropy(), 3.0121050330905925);
        close(shown.exposure_l1(&codes, 0, 1), 0.08230901100485123);
        close(shown.exposure_kl(&codes, 0, 1), 0.021790389607769394);
    }

    #[test]
    fn holisticai_agrees_on_its_own_example() {
        let scores = [
            0.9, 0.8, 0.4, 0.2, 0.7, 0.9, 0.1, 0.7, 0.3, 0.2, 0.3, 0.3, 0.2, 0.1, 0.7, 0.8, 0.8, 0.7, 0.9, 0.1, 1.0,
            0.9, 0.3, 0.6, 0.8, 0.9, 0.1, 0.1, 0.2, 0.3, 0.1, 0.5, 0.1, 0.2, 0.7, 0.7, 0.2, 0.7, 0.1, 0.2,
        ];
        let shown = Shown::from_threshold(&scores, 4, 0.5);
        // holisticai 1.0.14's documentation; a user who is shown nothing is left out.
        assert!((shown.average_recommendation_popularity().unwrap() - 5.037037037037036).abs() < 1e-12);
        // k is k: three items of the third user are tied at 0.3 for two places.
        let top = Shown::from_top(&scores, 4, 2);
        assert!(top.users().all(|row| (row.iter().sum::<f64>() - 2.0).abs() < 1e-12));
        assert_eq!(top.shown[8..12], [2.0 / 3.0, 0.0, 2.0 / 3.0, 2.0 / 3.0]);
    }

    #[test]
    fn odd_input_has_its_reason() {
        let none = Shown::from_top(&[], 0, 3);
        assert_eq!(none.aggregate_diversity(), Err(Undefined::NoRows));
        assert_eq!(none.average_recommendation_popularity(), Err(Undefined::NobodySelected));
        let nan = Shown::from_top(&[f64::NAN, f64::NAN], 2, 1);
        assert_eq!(nan.gini_index(), Err(Undefined::NobodySelected));
        assert_eq!(Shown::from_top(&[f64::NAN, 1.0], 2, 5).shown, [0.0, 1.0]);
        assert_eq!(Shown::from_top(&[0.5, 1.0], 2, 0).shown, [0.0, 0.0]);
        assert_eq!(nan.retrieval(&[0.0, 0.0])[0], UserRetrieval::default());
        assert_eq!(equity_of_attention(&[], 3, Attention::Logarithmic), Err(Undefined::NoRows));
        assert_eq!(equity_of_attention(&[&[(0, 0.0)]], 1, Attention::Logarithmic), Err(Undefined::NoMerit));
        assert_eq!(mean(&[None, Some(f64::NAN)], Confidence::at(0.95)).reason, Some(Undefined::NoRows));
        assert_eq!(mean(&[Some(1.0)], Confidence::at(0.95)).interval(), None);
    }
}
