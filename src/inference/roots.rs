//! One root finder for all: bracketed, derivative-free, a dozen evaluations for smooth functions.

/// A root of `f` in `[a, b]`, where `fa` and `fb` are its values there, by Chandrupatla's method (inverse quadratic
/// interpolation where it is safe, bisection otherwise).
///
/// Stops when the bracket is shorter than `tolerance` (absolute) or after 100 evaluations. Where both ends have the same
/// sign there is no bracket, and the end with the smaller value is the answer: callers use that for roots that rounding
/// pushed just over an end.
///
/// # References
/// Chandrupatla (1997), A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without
/// using derivatives, Advances in Engineering Software 28.
pub(crate) fn root(
    f: impl Fn(f64) -> f64,
    (mut a, mut fa): (f64, f64),
    (mut b, mut fb): (f64, f64),
    tolerance: f64,
) -> f64 {
    if fa * fb > 0.0 {
        return if fa.abs() < fb.abs() { a } else { b };
    }
    let (mut c, mut fc);
    let mut t = 0.5;
    for _ in 0..100 {
        let x = a + t * (b - a);
        let fx = f(x);
        if (fx > 0.0) == (fa > 0.0) && fx != 0.0 {
            (c, fc) = (a, fa);
        } else {
            (c, b, fc, fb) = (b, a, fb, fa);
        }
        (a, fa) = (x, fx);
        let (best, fbest) = if fa.abs() < fb.abs() { (a, fa) } else { (b, fb) };
        let close = 2.0 * f64::EPSILON * best.abs() + 0.5 * tolerance;
        let share = close / (b - a).abs();
        if share > 0.5 || fbest == 0.0 {
            return best;
        }
        let xi = (a - b) / (c - b);
        let phi = (fa - fb) / (fc - fb);
        t = if phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi {
            fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        } else {
            0.5
        };
        t = if t.is_finite() { t.clamp(share, 1.0 - share) } else { 0.5 };
    }
    if fa.abs() < fb.abs() { a } else { b }
}

/// A root of the decreasing function `f` over all reals, starting near `guess`: steps outward by doubling `step` until
/// the sign changes, then refines. `None` if no sign change is met within `limit` of the guess.
pub(crate) fn root_of_decreasing(
    f: impl Fn(f64) -> f64,
    guess: f64,
    step: f64,
    limit: f64,
    tolerance: f64,
) -> Option<f64> {
    let (mut a, mut fa) = (guess, f(guess));
    if fa == 0.0 {
        return Some(a);
    }
    let direction = fa.signum();
    let mut step = step;
    while (a - guess).abs() <= limit {
        let b = a + direction * step;
        let fb = f(b);
        if !(fb * fa > 0.0) {
            return Some(root(f, (a, fa), (b, fb), tolerance));
        }
        (a, fa) = (b, fb);
        step *= 2.0;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn finds_roots_in_few_evaluations() {
        let count = Cell::new(0);
        let f = |x: f64| {
            count.set(count.get() + 1);
            x.cos() - x
        };
        let x = root(f, (0.0, 1.0), (1.0, 1f64.cos() - 1.0), 1e-14);
        assert!((x - 0.7390851332151607).abs() < 1e-13, "{x}");
        assert!(count.get() < 12, "{}", count.get());
        let cubic = |x: f64| -(x - 3.0).powi(3);
        let x = root_of_decreasing(cubic, -5.0, 0.5, 1e3, 1e-9).unwrap();
        assert!((x - 3.0).abs() < 1e-4);
        assert_eq!(root_of_decreasing(|_| 1.0, 0.0, 1.0, 100.0, 1e-9), None);
    }
}
