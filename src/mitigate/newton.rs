//! Newton's method for smooth convex functions of a few hundred numbers.

use ndarray::Array2;

/// Steps after which there is no least value near, or it is at infinity.
const STEPS: usize = 200;
/// Halvings of a step before none of it is better.
const HALVINGS: usize = 60;
/// The part of the fall that the slope promises which a step must give (Armijo).
const PROMISED: f64 = 1e-4;
/// The part of a diagonal element that a pivot must keep to count: below it, the direction depends on others.
const DEPENDENT: f64 = 1e-11;
/// The part of the gradient that a step by borrowed second derivatives may leave.
const LEFT: f64 = 0.25;

/// A convex function at a point: its value, gradient and second derivatives.
pub(super) struct Local {
    pub value: f64,
    pub gradient: Vec<f64>,
    pub curvature: Array2<f64>,
}

/// Where the descent ended.
pub(super) struct Found {
    pub at: Vec<f64>,
    pub steps: usize,
    /// The largest component of the gradient there.
    pub steepest: f64,
    /// The second derivatives by which the last step was taken, or would be.
    pub curvature: Array2<f64>,
}

/// Goes down from `start` until no component of the gradient is past `tolerance`, or no step is better. Directions in which
/// the function does not curve are left alone.
pub(super) fn minimize(start: Vec<f64>, tolerance: f64, local: impl Fn(&[f64]) -> Local) -> Found {
    let mut at = start;
    let mut here = local(&at);
    for steps in 0..STEPS {
        let steepest = steepest_of(&here.gradient);
        if steepest <= tolerance || !here.value.is_finite() {
            return Found { at, steps, steepest, curvature: here.curvature };
        }
        let step: Vec<f64> = solve(here.curvature.clone(), &here.gradient).into_iter().map(|s| -s).collect();
        let slope: f64 = step.iter().zip(&here.gradient).map(|(s, g)| s * g).sum();
        let (mut length, mut better) = (1.0, None);
        for _ in 0..HALVINGS {
            let there: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a + length * s).collect();
            let local = local(&there);
            // Near the end, rounding hides the fall of the value: there a smaller gradient is a better place.
            let falls = local.value <= here.value + PROMISED * length * slope;
            let flat = (local.value - here.value).abs() <= 1e-12 * here.value.abs().max(1e-300)
                && steepest_of(&local.gradient) < steepest;
            if local.value.is_finite() && (falls || flat) {
                better = Some((there, local));
                break;
            }
            length /= 2.0;
        }
        match better {
            Some((there, local)) => (at, here) = (there, local),
            None => return Found { at, steps, steepest, curvature: here.curvature },
        }
    }
    Found { at, steps: STEPS, steepest: steepest_of(&here.gradient), curvature: here.curvature }
}

/// Goes on from where the descent of a like function ended, by that one's second derivatives, which costs no more than a
/// gradient a step: until no component of the gradient is past `tolerance`, or a step leaves too much of it.
pub(super) fn follow(like: Found, tolerance: f64, gradient: impl Fn(&[f64]) -> Vec<f64>) -> Found {
    let Found { mut at, mut steps, curvature, .. } = like;
    let mut here = gradient(&at);
    let mut steepest = steepest_of(&here);
    while steepest > tolerance {
        let step = solve(curvature.clone(), &here);
        let there: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a - s).collect();
        let gradient = gradient(&there);
        let left = steepest_of(&gradient);
        if !left.is_finite() || left > LEFT * steepest {
            break;
        }
        (at, here, steepest) = (there, gradient, left);
        steps += 1;
    }
    Found { at, steps, steepest, curvature }
}

fn steepest_of(gradient: &[f64]) -> f64 {
    // A NaN is no slope to stop at.
    gradient.iter().fold(0.0f64, |most, g| if g.is_nan() { f64::INFINITY } else { most.max(g.abs()) })
}

/// Solves `a x = b` for a symmetric `a` without negative curvature, by Cholesky's factors; where a row depends on those
/// before it, its unknown is 0.
pub(super) fn solve(mut a: Array2<f64>, b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let diagonal: Vec<f64> = (0..n).map(|i| a[[i, i]]).collect();
    let mut kept = vec![false; n];
    for j in 0..n {
        let mut pivot = a[[j, j]];
        for k in (0..j).filter(|k| kept[*k]) {
            pivot -= a[[j, k]] * a[[j, k]];
        }
        if pivot.is_nan() || pivot <= DEPENDENT * diagonal[j] || pivot < f64::MIN_POSITIVE {
            continue;
        }
        kept[j] = true;
        let root = pivot.sqrt();
        a[[j, j]] = root;
        for i in j + 1..n {
            let mut sum = a[[i, j]];
            for k in (0..j).filter(|k| kept[*k]) {
                sum -= a[[i, k]] * a[[j, k]];
            }
            a[[i, j]] = sum / root;
        }
    }
    let mut x = vec![0.0; n];
    for i in (0..n).filter(|i| kept[*i]) {
        let sum: f64 = (0..i).filter(|k| kept[*k]).map(|k| a[[i, k]] * x[k]).sum();
        x[i] = (b[i] - sum) / a[[i, i]];
    }
    for i in (0..n).rev().filter(|i| kept[*i]) {
        let sum: f64 = (i + 1..n).filter(|k| kept[*k]).map(|k| a[[k, i]] * x[k]).sum();
        x[i] = (x[i] - sum) / a[[i, i]];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn equations_are_solved_and_dependent_rows_left_out() {
        let x = solve(array![[4.0, 2.0], [2.0, 3.0]], &[8.0, 7.0]);
        assert!((x[0] - 1.25).abs() < 1e-14 && (x[1] - 1.5).abs() < 1e-14, "{x:?}");
        // The third row is the sum of the others.
        let x = solve(array![[2.0, 0.0, 2.0], [0.0, 1.0, 1.0], [2.0, 1.0, 3.0]], &[4.0, 3.0, 7.0]);
        assert!((x[0] - 2.0).abs() < 1e-14 && (x[1] - 3.0).abs() < 1e-14 && x[2] == 0.0, "{x:?}");
    }

    #[test]
    fn the_least_value_is_found_from_afar() {
        // Σ cosh(x − c): flat far out, so that whole Newton steps would run away.
        let centers = [3.0, -40.0];
        let found = minimize(vec![0.0; 2], 1e-12, |x| {
            let distance: Vec<f64> = x.iter().zip(&centers).map(|(x, c)| x - c).collect();
            let mut curvature = Array2::zeros((2, 2));
            (0..2).for_each(|i| curvature[[i, i]] = distance[i].cosh());
            Local {
                value: distance.iter().map(|d| d.cosh()).sum(),
                gradient: distance.iter().map(|d| d.sinh()).collect(),
                curvature,
            }
        });
        assert!(found.steps < 100);
        assert!(found.at.iter().zip(&centers).all(|(a, c)| (a - c).abs() < 1e-9));
    }

    #[test]
    fn a_like_function_lends_its_curvature() {
        // x⁴ + x² about 1, from the least value of a function about 0.9; and one that curves ten times less.
        let local = |center: f64| {
            move |x: &[f64]| {
                let d = x[0] - center;
                let curvature = array![[12.0 * d * d + 2.0]];
                Local { value: d.powi(4) + d * d, gradient: vec![4.0 * d.powi(3) + 2.0 * d], curvature }
            }
        };
        let like = || minimize(vec![5.0], 1e-9, local(0.9));
        let found = follow(like(), 1e-12, |x| local(1.0)(x).gradient);
        assert!(found.steepest <= 1e-12 && (found.at[0] - 1.0).abs() < 1e-12, "{:?}", found.at);
        // Steps too short to be worth their while are left to Newton's method; nothing worse is ever taken.
        let found = follow(like(), 1e-12, |x| vec![0.1 * local(1.0)(x).gradient[0]]);
        assert!(found.steepest > 1e-12 && found.at == like().at);
        assert!(follow(like(), 1e-12, |_| vec![f64::NAN]).steepest.is_infinite());
    }
}
