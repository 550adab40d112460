//! The rules of thumb of the US Uniform Guidelines on Employee Selection Procedures (UGESP, 1978, 29 CFR 1607): the
//! four-fifths rule, two standard deviations, and whether a single selection would change what they say.

use crate::inference::hypothesis::{fisher_exact, two_proportion_z};
use crate::metrics::Undefined;

/// How many of a group were selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Those selected.
    pub selected: u64,
    /// All who were decided on.
    pub total: u64,
}

impl Selection {
    /// `selected` of `total`.
    pub const fn new(selected: u64, total: u64) -> Self {
        Selection { selected, total }
    }

    fn checked(self) -> Result<Self, Undefined> {
        if self.total == 0 { Err(Undefined::NoDecisions) } else { Ok(self) }
    }

    fn rate(self) -> f64 {
        self.selected.min(self.total) as f64 / self.total as f64
    }
}

/// A threshold of the ratio of two selection rates, as an exact fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// The fraction's numerator.
    pub numerator: u32,
    /// The fraction's denominator, above 0 and at least the numerator.
    pub denominator: u32,
}

impl Threshold {
    /// Four fifths.
    pub const FOUR_FIFTHS: Threshold = Threshold { numerator: 4, denominator: 5 };
}

/// The selections that a group still lacks to four fifths of another group's rate: the least k with
/// `5 (x + k) n_b >= 4 x_b n`.
///
/// Whole persons, exact in integers (no rounding of 0.8). 0 where the rule is kept. See [`selection_shortfall`].
///
/// # Errors
/// As [`selection_shortfall`].
///
/// # References
/// UGESP, 29 CFR 1607.4(D).
///
/// # Examples
/// ```
/// use evenhand::metrics::selection::{Selection, four_fifths_shortfall};
/// // 60 of 100 against 20 of 50: 24 would be four fifths.
/// assert_eq!(four_fifths_shortfall(Selection::new(20, 50), Selection::new(60, 100)), Ok(4));
/// assert_eq!(four_fifths_shortfall(Selection::new(24, 50), Selection::new(60, 100)), Ok(0));
/// ```
pub fn four_fifths_shortfall(group: Selection, best: Selection) -> Result<u64, Undefined> {
    selection_shortfall(group, best, Threshold::FOUR_FIFTHS)
}

/// The selections that a group still lacks to a share of another group's rate: `max(0, ⌈t·x_b·n / n_b⌉ − x)`.
///
/// The other group's selections stay as they are.
///
/// # Errors
/// Without decisions in a group; where a threshold is no fraction in [0, 1] (no finite figure); where counts are so large
/// that the products leave 128 bits (too many rows).
///
/// # Examples
/// ```
/// use evenhand::metrics::selection::{Selection, Threshold, selection_shortfall};
/// let nine_tenths = Threshold { numerator: 9, denominator: 10 };
/// assert_eq!(selection_shortfall(Selection::new(20, 50), Selection::new(60, 100), nine_tenths), Ok(7));
/// ```
pub fn selection_shortfall(group: Selection, best: Selection, threshold: Threshold) -> Result<u64, Undefined> {
    let (group, best) = (group.checked()?, best.checked()?);
    if threshold.denominator == 0 || threshold.numerator > threshold.denominator {
        return Err(Undefined::NotFinite);
    }
    let wide = |a: u64, b: u64, c: u32| (u128::from(a) * u128::from(b)).checked_mul(u128::from(c));
    let needed = wide(best.selected.min(best.total), group.total, threshold.numerator);
    let each = u128::from(best.total) * u128::from(threshold.denominator);
    let needed = needed.ok_or(Undefined::TooManyRows)?.div_ceil(each);
    // A share of at most 1 of a rate of at most 1 is no more than the group's total.
    let needed = u64::try_from(needed).map_err(|_| Undefined::TooManyRows)?;
    Ok(needed.saturating_sub(group.selected))
}

/// The weight of selections that a group still lacks, for weighted counts `(selected, total)`:
/// `max(0, t·X_b/W_b·W − X)`.
///
/// A real number: weights are not whole persons, so that nothing is rounded up.
///
/// # Errors
/// Where a group has no weight, or something is not finite.
///
/// # Examples
/// ```
/// use evenhand::metrics::selection::selection_shortfall_weighted;
/// let lacking = selection_shortfall_weighted((20.5, 50.0), (60.0, 100.0), 0.8).unwrap();
/// assert!((lacking - 3.5).abs() < 1e-12);
/// ```
pub fn selection_shortfall_weighted(group: (f64, f64), best: (f64, f64), threshold: f64) -> Result<f64, Undefined> {
    if !(group.1 > 0.0 && best.1 > 0.0) {
        return Err(Undefined::NoWeight);
    }
    let lacking = (threshold * (best.0 / best.1) * group.1 - group.0).max(0.0);
    if lacking.is_finite() && [group.0, best.0, threshold].iter().all(|v| v.is_finite()) {
        Ok(lacking)
    } else {
        Err(Undefined::NotFinite)
    }
}

/// What the four-fifths and the two-standard-deviations rule say of two groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdverseImpact {
    /// The first group's selection rate minus the second's.
    pub difference: f64,
    /// The first group's rate over the second's; `None` where nobody of the second was selected.
    pub ratio: Option<f64>,
    /// Whether the ratio is below the threshold (exact in integers).
    pub below_threshold: bool,
    /// The difference in standard deviations: Z of the pooled two-proportion test; `None` where nobody or everybody was
    /// selected.
    pub standard_deviations: Option<f64>,
    /// Fisher's exact p-value, two-sided.
    pub fisher_p: f64,
    /// Whether an expected count is below 5, so that Fisher's test stands in for the standard deviations.
    pub small: bool,
    /// Whether the first group's rate is significantly lower: Z below −2, or where counts are small Fisher's p below
    /// 0.05.
    pub significant: bool,
}

impl AdverseImpact {
    /// Whether both rules speak against it: below the threshold and significantly lower.
    pub fn adverse(&self) -> bool {
        self.below_threshold && self.significant
    }
}

/// The rule of the EEOC and the OFCCP for a group against a better-off one: a ratio of rates below four fifths, together
/// with a difference of more than two standard deviations, or, in small samples, Fisher's exact test.
///
/// Two standard deviations are a p-value of 0.0455. Neither rule is a finding of discrimination; the Guidelines take
/// them "generally" as evidence.
///
/// # Errors
/// Where a group has no decisions, or counts are beyond 2⁶⁰ (too many rows).
///
/// # References
/// UGESP, 29 CFR 1607.4(D); Castaneda v. Partida, 430 U.S. 482 (1977), n. 17; Hazelwood School District v. United
/// States, 433 U.S. 299 (1977), n. 14.
///
/// # Examples
/// ```
/// use evenhand::metrics::selection::{Selection, two_standard_deviations};
/// let rule = two_standard_deviations(Selection::new(12, 40), Selection::new(48, 80)).unwrap();
/// assert_eq!(rule.ratio, Some(0.5));
/// assert!((rule.standard_deviations.unwrap() + 3.0983867).abs() < 1e-7);
/// assert!((rule.fisher_p - 0.0034092218).abs() < 1e-10);
/// assert!(rule.adverse());
/// ```
pub fn two_standard_deviations(group: Selection, other: Selection) -> Result<AdverseImpact, Undefined> {
    adverse_impact(group, other, Threshold::FOUR_FIFTHS)
}

fn adverse_impact(group: Selection, other: Selection, threshold: Threshold) -> Result<AdverseImpact, Undefined> {
    let (group, other) = (group.checked()?, other.checked()?);
    if group.total.max(other.total) > 1 << 60 {
        return Err(Undefined::TooManyRows);
    }
    let below_threshold = selection_shortfall(group, other, threshold)? > 0;
    let (x1, x2) = (group.selected.min(group.total), other.selected.min(other.total));
    let (p1, p2) = (group.rate(), other.rate());
    let (n1, n2) = (group.total as f64, other.total as f64);
    let standard_deviations = two_proportion_z(x1 as f64, n1, x2 as f64, n2).map(|test| test.z);
    let fisher_p = fisher_exact(x1, group.total - x1, x2, other.total - x2);
    let pooled = (x1 as f64 + x2 as f64) / (n1 + n2);
    let small = n1.min(n2) * pooled.min(1.0 - pooled) < 5.0;
    let significant = if small { p1 < p2 && fisher_p < 0.05 } else { standard_deviations.is_some_and(|z| z < -2.0) };
    Ok(AdverseImpact {
        difference: p1 - p2,
        ratio: (p2 > 0.0).then(|| p1 / p2),
        below_threshold,
        standard_deviations,
        fisher_p,
        small,
        significant,
    })
}

/// What one selection more for the lower group, and one fewer for the higher, would change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlipTest {
    /// What the rules say of the counts as they are, of the group with the lower rate against the other.
    pub before: AdverseImpact,
    /// What they say after one selection has moved from the higher group to the lower.
    pub after: AdverseImpact,
    /// Whether the first group given is the one with the lower rate.
    pub first_is_lower: bool,
    /// Whether the four-fifths conclusion turns.
    pub threshold_flips: bool,
    /// Whether the conclusion on significance turns.
    pub significance_flips: bool,
    /// Whether the lower group would become the higher one.
    pub order_flips: bool,
}

impl FlipTest {
    /// Whether anything that was held against the selection hangs on one person.
    pub fn flips(&self) -> bool {
        self.threshold_flips || self.significance_flips
    }
}

/// The flip-flop test: does a conclusion rest on a single selection? Moves one from the group with the higher rate to
/// the one with the lower and applies the [`two_standard_deviations`] rule again.
///
/// Where nobody of the higher group or everybody of the lower was selected there is none to move.
///
/// # Errors
/// Where a group has no decisions; where nothing can be moved (no variation).
///
/// # References
/// Questions and Answers on the UGESP, 44 FR 11996 (1979), no. 21: caution is due where one selection more for the lower
/// group and one fewer for the other would turn the result.
///
/// # Examples
/// ```
/// use evenhand::metrics::selection::{Selection, flip_test};
/// // 3 of 10 against 4 of 10: 0.75. One person moved: 4 against 3.
/// let test = flip_test(Selection::new(3, 10), Selection::new(4, 10)).unwrap();
/// assert!(test.before.below_threshold && test.threshold_flips && test.order_flips);
/// ```
pub fn flip_test(first: Selection, second: Selection) -> Result<FlipTest, Undefined> {
    let (first, second) = (first.checked()?, second.checked()?);
    let product = |a: Selection, b: Selection| u128::from(a.selected.min(a.total)) * u128::from(b.total);
    let first_is_lower = product(first, second) <= product(second, first);
    let (lower, higher) = if first_is_lower { (first, second) } else { (second, first) };
    let before = two_standard_deviations(lower, higher)?;
    if higher.selected == 0 || lower.selected >= lower.total {
        return Err(Undefined::NoVariation);
    }
    let moved_lower = Selection { selected: lower.selected + 1, ..lower };
    let moved_higher = Selection { selected: higher.selected.min(higher.total) - 1, ..higher };
    let after = two_standard_deviations(moved_lower, moved_higher)?;
    Ok(FlipTest {
        before,
        after,
        first_is_lower,
        threshold_flips: before.below_threshold != after.below_threshold,
        significance_flips: before.significant != after.significant,
        order_flips: product(moved_lower, moved_higher) > product(moved_higher, moved_lower),
    })
}
