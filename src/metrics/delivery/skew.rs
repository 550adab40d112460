//! Where a skew arises: in the targeting or in the delivery; and who is reached how often, at what price.

use super::shares::{effective, known, share_noise, wilson};
use super::table::GroupDelivery;
use super::variance::draws;
use crate::inference::ratio::mover_ratio;
use crate::inference::{Interval, z_quantile};
use crate::metrics::{Estimate, Support, Undefined};

/// The skews of one group, each a ratio of shares: 1 where alike, above it where the group gets more.
#[derive(Debug, Clone, PartialEq)]
pub struct Skews {
    /// Eligible share / audience share: what the advertiser's targeting does.
    pub targeting: Estimate,
    /// Impressions share / eligible share: what the platform's delivery does.
    pub delivery: Estimate,
    /// Share of the people reached / eligible share.
    pub reach: Estimate,
    /// Impressions share / audience share: targeting times delivery.
    pub whole: Estimate,
}

/// The skews of the group at `index`: `whole = targeting × delivery`, so that logs add up exactly; each 0 or more.
///
/// The eligible are taken as drawn from a known audience, and the impressions as drawn from the eligible, as many draws
/// as people were reached where that is known (see [`delivery_variance`](super::delivery_variance)); so the variances of
/// the logs add up as well. Noise in the counts enters every share. Intervals: Wilson's of the share, over the share it
/// is compared with, by MOVER where that is noisy. Unbounded above (`None`) where noise alone could make the latter 0.
///
/// Undefined where a count it needs is unknown ([`Undefined::UndefinedPart`]), a total is zero ([`Undefined::NoRows`]),
/// or the share to compare with is zero ([`Undefined::OverZero`]).
///
/// # References
/// Ali, Sapiezynski, Bogen, Korolova, Mislove, Rieke (2019), Discrimination through optimization, CSCW (skew of
/// delivery apart from targeting); the product is ours. Donner, Zou (2012), Statistical Methods in Medical Research 21
/// (MOVER).
///
/// # Examples
/// ```
/// use evenhand::metrics::delivery::{GroupDelivery, skews};
/// let group = |audience, eligible, impressions| GroupDelivery {
///     audience: Some(audience), eligible, impressions, ..GroupDelivery::default()
/// };
/// let women = skews(&[group(500.0, 80.0, 300.0), group(500.0, 120.0, 700.0)], 0, 0.95);
/// assert!((women.targeting.value.unwrap() - 0.8).abs() < 1e-12);
/// assert!((women.delivery.value.unwrap() - 0.75).abs() < 1e-12);
/// assert!((women.whole.value.unwrap() - 0.6).abs() < 1e-12);
/// ```
pub fn skews(groups: &[GroupDelivery], index: usize, level: f64) -> Skews {
    let noise: Vec<f64> = groups.iter().map(|g| g.noise).collect();
    let part = |of: fn(&GroupDelivery) -> Option<f64>| -> Result<Part, Undefined> {
        let counts: Option<Vec<f64>> = groups.iter().map(of).collect();
        let counts = counts.ok_or(Undefined::UndefinedPart)?;
        let total: f64 = counts.iter().sum();
        let count = *counts.get(index).ok_or(Undefined::NoRows)?;
        if !total.is_finite() {
            return Err(Undefined::NotFinite);
        }
        if !(total > 0.0) {
            return Err(Undefined::NoRows);
        }
        Ok(Part { share: count / total, total, draws: total, noise: share_noise(&counts, &noise, index) })
    };
    let audience = part(|g| g.audience);
    let eligible = part(|g| Some(g.eligible));
    let reached = part(|g| g.reached);
    let people = reached.as_ref().ok().map(|r| r.total);
    let shown = part(|g| Some(g.impressions)).map(|p| Part { draws: draws(p.total, people), ..p });
    // The targeting's chance, carried into what follows from it.
    let chosen = match &eligible {
        Ok(e) if e.share > 0.0 => (1.0 - e.share) / (e.share * e.total),
        _ => 0.0,
    };
    Skews {
        targeting: ratio(&eligible, &audience, 0.0, level),
        delivery: ratio(&shown, &eligible, 0.0, level),
        reach: ratio(&reached, &eligible, 0.0, level),
        whole: ratio(&shown, &audience, chosen, level),
    }
}

/// A share, what it is of, and how sure it is.
#[derive(Debug, Clone)]
struct Part {
    share: f64,
    total: f64,
    draws: f64,
    noise: f64,
}

/// One share over another that is known but for noise; `relative` is a variance of the first's log to be added.
fn ratio(top: &Result<Part, Undefined>, base: &Result<Part, Undefined>, relative: f64, level: f64) -> Estimate {
    let (top, base) = match (top, base) {
        (Ok(top), Ok(base)) => (top, base),
        (Err(why), _) | (_, Err(why)) => return Estimate::undefined(*why, Support::default()),
    };
    let extra = top.noise + top.share * top.share * relative;
    let support =
        Support { rows: top.total, weight: top.total, effective_size: effective(top.share, top.draws, extra) };
    if !(base.share > 0.0) {
        return Estimate::undefined(Undefined::OverZero, support);
    }
    let estimate = Estimate::of(top.share / base.share, support);
    let Some(own) = wilson(top.share, top.draws, extra, level) else { return estimate };
    let own = Interval { low: own.low.min(top.share), high: own.high.max(top.share) };
    match mover_ratio(top.share, own, base.share, known(base.share, base.noise, level)) {
        Some(i) => estimate.between(i.low, i.high.unwrap_or(f64::INFINITY)),
        None => estimate,
    }
}

/// How often a group is reached, and at what price.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// People reached / people eligible, in [0, 1].
    pub rate: Estimate,
    /// Money for each person reached, 0 or more.
    pub cost: Estimate,
    /// Impressions for each person reached.
    pub frequency: Estimate,
    /// Clicks for each person reached.
    pub clicks: Estimate,
}

/// Reach, price, frequency and clicks of a group.
///
/// The rate has Wilson's interval. The cost is `spend / reached`, its interval the spend over the interval of the people
/// reached. The clicks' interval takes the people as given and the clicks as Poisson (Wilson's score form,
/// `x + z²/2 ± z √(x + z²/4)`, with noise): too short where a few people account for most of them. The frequency has no
/// interval: how much it varies between people is not in the counts. Undefined where
/// counts are unknown ([`Undefined::UndefinedPart`]), nobody is eligible ([`Undefined::NoRows`]) or nobody was reached
/// ([`Undefined::OverZero`]).
///
/// # Examples
/// ```
/// use evenhand::metrics::delivery::{GroupDelivery, reach};
/// let women = GroupDelivery {
///     eligible: 1000.0, reached: Some(200.0), impressions: 500.0, spend: Some(50.0), ..GroupDelivery::default()
/// };
/// let found = reach(&women, 0.95);
/// assert_eq!((found.rate.value, found.cost.value, found.frequency.value), (Some(0.2), Some(0.25), Some(2.5)));
/// ```
pub fn reach(group: &GroupDelivery, level: f64) -> Reach {
    let Some(people) = group.reached else {
        let unknown = || Estimate::undefined(Undefined::UndefinedPart, Support::default());
        return Reach { rate: unknown(), cost: unknown(), frequency: unknown(), clicks: unknown() };
    };
    let share = reach_share(group).filter(|_| group.eligible.is_finite());
    let support = |rows: f64| Support { rows, weight: rows, effective_size: rows };
    let rate = match share {
        None => Estimate::undefined(Undefined::NoRows, Support::default()),
        Some((p, n)) => {
            let of = Support { effective_size: n, ..support(group.eligible) };
            let e = Estimate::of(p, of);
            match wilson(p, n, 0.0, level) {
                Some(i) => e.between(i.low, i.high),
                None => e,
            }
        }
    };
    let each = |x: Option<f64>| match x {
        None => Estimate::undefined(Undefined::UndefinedPart, support(people)),
        Some(_) if !(people > 0.0) => Estimate::undefined(Undefined::OverZero, support(people)),
        Some(x) => {
            let z = z_quantile(level);
            let noise = group.noise * (1.0 + x * x / (people * people));
            let half = z * (x + noise + z * z / 4.0).sqrt();
            let centre = x + z * z / 2.0;
            Estimate::of(x / people, support(people))
                .between(((centre - half) / people).max(0.0), (centre + half) / people)
        }
    };
    let cost = match group.spend {
        None => Estimate::undefined(Undefined::UndefinedPart, support(people)),
        Some(_) if !(people > 0.0) => Estimate::undefined(Undefined::OverZero, support(people)),
        Some(spend) => {
            let e = Estimate::of(spend / people, support(people));
            match rate.interval() {
                Some((low, high)) => {
                    let ends = [high, low].map(|r| spend / (r * group.eligible));
                    e.between(ends[0], if spend > 0.0 { ends[1] } else { 0.0 })
                }
                None => e,
            }
        }
    };
    let frequency = match people > 0.0 {
        true => Estimate::of(group.impressions / people, support(people)),
        false => Estimate::undefined(Undefined::OverZero, support(people)),
    };
    Reach { rate, cost, frequency, clicks: each(group.clicks) }
}

/// The share reached and the number of trials that it is worth, where known and somebody is eligible.
pub(super) fn reach_share(group: &GroupDelivery) -> Option<(f64, f64)> {
    let p = group.reached.filter(|_| group.eligible > 0.0)? / group.eligible;
    let p = p.clamp(0.0, 1.0);
    let extra = (1.0 + p * p) * group.noise / (group.eligible * group.eligible);
    Some((p, effective(p, group.eligible, extra)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::rng::{binomial, stream};
    use rand::Rng;
    use rand_distr::{Distribution, Normal};

    #[test]
    fn logs_add_up_and_intervals_cover_with_noise() {
        let mut rng = stream(21, 0, 0);
        for (kind, sd) in [("none", 0.0), ("normal", 12.0), ("Laplace", 12.0), ("rounded", 40.0 / 2f64.sqrt())] {
            let noise = Normal::new(0.0, 12.0).unwrap();
            let mut covered = [0; 4];
            for _ in 0..2000 {
                // True shares: audience .5, eligible .4, delivered .3.
                let e = binomial(&mut rng, 3000.0, 0.4);
                let odds = (e / 3000.0) * 0.75;
                let (r, x) = (binomial(&mut rng, 800.0, odds), binomial(&mut rng, 800.0, odds));
                let mut noisy = |v: f64| match kind {
                    "none" => v,
                    "normal" => v + noise.sample(&mut rng),
                    "rounded" => (v / 40.0).round() * 40.0,
                    _ => {
                        let u: f64 = rng.gen_range(-0.5..0.5);
                        v - sd / 2f64.sqrt() * u.signum() * (1.0 - 2.0 * u.abs()).ln()
                    }
                };
                let mut group = |a, e, r, x| GroupDelivery {
                    audience: Some(noisy(a)),
                    eligible: noisy(e),
                    reached: Some(noisy(r)),
                    impressions: noisy(x),
                    noise: sd * sd,
                    ..GroupDelivery::default()
                };
                let groups = [group(5e4, e, r, x), group(5e4, 3000.0 - e, 800.0 - r, 800.0 - x)];
                let s = skews(&groups, 0, 0.95);
                let [t, d, w] = [&s.targeting, &s.delivery, &s.whole].map(|e| e.value.unwrap().ln());
                assert!((t + d - w).abs() < 1e-12);
                for (i, (e, truth)) in [(&s.targeting, 0.8), (&s.delivery, 0.75), (&s.reach, 0.75), (&s.whole, 0.6)]
                    .into_iter()
                    .enumerate()
                {
                    let (low, high) = e.interval().unwrap();
                    covered[i] += usize::from(low <= truth && truth <= high);
                }
            }
            // Totals are multiples of 40 here: rounding errors of the two groups go opposite ways, the worst case.
            let most = if kind == "rounded" { 2001 } else { 1975 };
            assert!(covered.iter().all(|c| (1870..most).contains(c)), "{kind}: {covered:?}");
        }
    }

    #[test]
    fn costs_clicks_and_reach_cover_with_noise() {
        let mut rng = stream(22, 0, 0);
        for sd in [0.0, 15.0] {
            let noise = Normal::new(0.0, sd).unwrap();
            let mut covered = [0; 3];
            for _ in 0..2000 {
                let reached = binomial(&mut rng, 2000.0, 0.15);
                // Clicks: Poisson by way of many rare trials.
                let clicks = binomial(&mut rng, reached * 50.0, 0.004);
                let mut noisy = |v: f64| v + noise.sample(&mut rng);
                let group = GroupDelivery {
                    eligible: noisy(2000.0),
                    reached: Some(noisy(reached)),
                    clicks: Some(noisy(clicks)),
                    spend: Some(600.0),
                    noise: sd * sd,
                    ..GroupDelivery::default()
                };
                let found = super::reach(&group, 0.95);
                for (i, (e, truth)) in
                    [(found.rate, 0.15), (found.cost, 2.0), (found.clicks, 0.2)].into_iter().enumerate()
                {
                    let (low, high) = e.interval().unwrap();
                    covered[i] += usize::from(low <= truth && truth <= high);
                }
            }
            assert!(covered.iter().all(|c| (1870..1960).contains(c)), "{sd}: {covered:?}");
        }
    }

    #[test]
    fn scale_changes_no_skew_and_order_none() {
        let group = |e: f64, x: f64| GroupDelivery { eligible: e, impressions: x, ..Default::default() };
        let (a, b) = (group(30.0, 7.0), group(50.0, 9.0));
        let (many, more) = (group(300.0, 70.0), group(500.0, 90.0));
        let one = skews(&[a.clone(), b.clone()], 0, 0.9).delivery;
        assert_eq!(one, skews(&[b, a], 1, 0.9).delivery);
        assert!((one.value.unwrap() - skews(&[many, more], 0, 0.9).delivery.value.unwrap()).abs() < 1e-15);
    }

    #[test]
    fn nasty_input_is_undefined() {
        let empty = GroupDelivery::default();
        let s = skews(&[empty.clone(), empty.clone()], 0, 0.95);
        assert_eq!((s.targeting.reason, s.delivery.reason), (Some(Undefined::NoRows), Some(Undefined::NoRows)));
        assert_eq!(skews(&[], 0, 0.95).delivery.reason, Some(Undefined::NoRows));
        let shown = GroupDelivery { impressions: 3.0, ..empty.clone() };
        let other = GroupDelivery { impressions: 3.0, eligible: 9.0, noise: 1e9, ..empty.clone() };
        assert_eq!(skews(&[shown.clone(), other.clone()], 0, 0.95).delivery.reason, Some(Undefined::OverZero));
        assert!(skews(&[shown, other], 1, 0.95).delivery.value.is_some());
        assert_eq!(reach(&empty, 0.95).rate.reason, Some(Undefined::UndefinedPart));
        let nobody = GroupDelivery { reached: Some(0.0), eligible: 9.0, spend: Some(1.0), ..empty };
        let found = reach(&nobody, 0.95);
        assert_eq!((found.rate.value, found.cost.reason), (Some(0.0), Some(Undefined::OverZero)));
    }
}
