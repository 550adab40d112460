use approx::assert_relative_eq;
use ndarray::{Array2, array};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;

use super::*;
use crate::metrics::Confidence;

const AT: f64 = 0.95;

struct Drawn {
    features: Array2<f64>,
    segments: Vec<u32>,
    groups: Vec<u32>,
}

/// Rows about centres 4 apart, those of group 1 with another spread.
fn drawn(seed: u64, n: usize, spread: f64) -> Drawn {
    let mut rng = StdRng::seed_from_u64(seed);
    let segments: Vec<u32> = (0..n).map(|_| rng.gen_range(0..3)).collect();
    let groups: Vec<u32> = (0..n).map(|_| u32::from(rng.gen_bool(0.4))).collect();
    let mut features = Array2::zeros((n, 2));
    for row in 0..n {
        let sd = if groups[row] == 1 { spread } else { 1.0 };
        features[[row, 0]] = 4.0 * f64::from(segments[row]) + sd * rng.sample::<f64, _>(StandardNormal);
        features[[row, 1]] = sd * rng.sample::<f64, _>(StandardNormal);
    }
    Drawn { features, segments, groups }
}

impl Drawn {
    fn rows<'a>(&'a self, weights: Option<&'a [f64]>) -> Clustering<'a> {
        Clustering::new(self.features.view(), &self.segments, &self.groups, weights).unwrap()
    }

    fn distance(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (self.features.row(a), self.features.row(b));
        ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt()
    }
}

fn all_rows(limit: usize) -> Limit {
    Limit { rows: limit, seed: 1 }
}

#[test]
fn silhouettes_agree_with_the_definition() {
    let data = drawn(1, 80, 1.5);
    let answer = silhouette(&data.rows(None), Limit::default(), Confidence::at(AT));
    let mean = |i: usize, segment: u32| {
        let others: Vec<usize> = (0..80).filter(|j| *j != i && data.segments[*j] == segment).collect();
        others.iter().map(|j| data.distance(i, *j)).sum::<f64>() / others.len() as f64
    };
    for group in 0..2 {
        let people: Vec<usize> = (0..80).filter(|i| data.groups[*i] == group).collect();
        let of = |i: &usize| {
            let a = mean(*i, data.segments[*i]);
            let b = (0..3).filter(|s| *s != data.segments[*i]).map(|s| mean(*i, s)).fold(f64::INFINITY, f64::min);
            (b - a) / a.max(b)
        };
        let expected = people.iter().map(of).sum::<f64>() / people.len() as f64;
        assert_relative_eq!(answer.groups[group as usize].value.unwrap(), expected, epsilon = 1e-12);
    }
    assert!(!answer.sampled && answer.rows == 80);
}

#[test]
fn distance_fairness_agrees_with_the_definition() {
    let data = drawn(2, 61, 1.5);
    let rows = data.rows(None);
    let answer = distance_fairness(&rows, None, Limit::default(), Confidence::at(AT)).unwrap();
    let means = rows.means();
    let mut worst = [0.0f64; 2];
    for i in 0..61 {
        let mut near: Vec<f64> = (0..61).map(|j| data.distance(i, j)).collect();
        near.sort_by(f64::total_cmp);
        let here = data.features.row(i);
        let centre = |c: usize| ((here[0] - means[[c, 0]]).powi(2) + (here[1] - means[[c, 1]]).powi(2)).sqrt();
        // ⌈61 / 3⌉ = 21 people, the one at distance 0 among them.
        let ratio = (0..3).map(centre).fold(f64::INFINITY, f64::min) / near[20];
        let group = data.groups[i] as usize;
        worst[group] = worst[group].max(ratio);
    }
    for (answer, expected) in answer.worst.iter().zip(worst) {
        assert_relative_eq!(answer.value.unwrap(), expected, epsilon = 1e-12);
    }
    // Equal weights take the other way to the radius. A hair's breadth is left between 20⅓ and 21 people.
    let mut weights = vec![1.0; 61];
    weights[0] = 1.0 + 1e-7;
    let weighted = distance_fairness(&data.rows(Some(&weights)), None, Limit::default(), Confidence::at(AT)).unwrap();
    for (a, b) in answer.worst.iter().zip(&weighted.worst) {
        assert_relative_eq!(a.value.unwrap(), b.value.unwrap(), epsilon = 1e-6);
    }
}

#[test]
fn costs_and_price_agree_with_the_definition() {
    let data = drawn(3, 50, 2.5);
    let rows = data.rows(None);
    let means = rows.means();
    let cost = |i: usize, c: usize| {
        (data.features[[i, 0]] - means[[c, 0]]).powi(2) + (data.features[[i, 1]] - means[[c, 1]]).powi(2)
    };
    let social = social_fairness(&rows, None, true, Confidence::at(AT)).unwrap();
    for group in 0..2u32 {
        let people: Vec<usize> = (0..50).filter(|i| data.groups[*i] == group).collect();
        let values: Vec<f64> = people.iter().map(|i| cost(*i, data.segments[*i] as usize)).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let estimate = &social.groups[group as usize];
        assert_relative_eq!(estimate.value.unwrap(), mean, epsilon = 1e-12);
        assert_relative_eq!(estimate.high.unwrap(), mean + student(AT, n - 1.0) * sd / n.sqrt(), epsilon = 1e-9);
    }
    let own: f64 = (0..50).map(|i| cost(i, data.segments[i] as usize)).sum();
    let nearest: f64 = (0..50).map(|i| (0..3).map(|c| cost(i, c)).fold(f64::INFINITY, f64::min)).sum();
    let price = price_of_fairness(&rows, None, true, Confidence::at(AT)).unwrap();
    assert_relative_eq!(price.value.unwrap(), own / nearest, epsilon = 1e-12);
    assert!(price.low.unwrap() >= 1.0 && price.high.unwrap() > price.value.unwrap());
}

#[test]
fn order_names_and_units_of_weight_do_not_matter() {
    let data = drawn(4, 60, 1.3);
    let turned = Drawn {
        features: data.features.select(ndarray::Axis(0), &(0..60).rev().collect::<Vec<_>>()),
        segments: data.segments.iter().rev().map(|s| (s + 1) % 3).collect(),
        groups: data.groups.iter().rev().map(|g| 1 - g).collect(),
    };
    let heavy = vec![7.0; 60];
    let confidence = Confidence::at(AT);
    let figures = |rows: &Clustering| {
        let s = silhouette(rows, Limit::default(), confidence);
        let d = distance_fairness(rows, None, Limit::default(), confidence).unwrap();
        let f = social_fairness(rows, None, true, confidence).unwrap();
        let p = price_of_fairness(rows, None, true, confidence).unwrap();
        [s.groups, d.worst, d.beyond, f.groups, vec![p.clone(), p], vec![f.ratio.clone(), f.ratio]]
    };
    let (a, b, c) = (figures(&data.rows(None)), figures(&turned.rows(None)), figures(&data.rows(Some(&heavy))));
    for ((a, b), c) in a.iter().zip(&b).zip(&c) {
        for group in 0..2 {
            assert_relative_eq!(a[group].value.unwrap(), b[1 - group].value.unwrap(), max_relative = 1e-9);
            assert_relative_eq!(a[group].value.unwrap(), c[group].value.unwrap(), max_relative = 1e-9);
            assert_eq!(a[group].low.is_some(), c[group].low.is_some());
            if let (Some(x), Some(y)) = (a[group].low, c[group].low) {
                assert_relative_eq!(x, y, max_relative = 1e-9);
            }
        }
    }
}

#[test]
fn rows_without_weight_segment_or_group_do_not_count() {
    let data = drawn(5, 40, 1.0);
    let mut more = drawn(5, 40, 1.0);
    let far = array![[90.0, 90.0], [-90.0, 4.0]];
    more.features = ndarray::concatenate(ndarray::Axis(0), &[data.features.view(), far.view()]).unwrap();
    more.segments.extend([0, MISSING]);
    more.groups.extend([1, 0]);
    let weights: Vec<f64> = (0..42).map(|i| if i == 40 { 0.0 } else { 1.0 }).collect();
    let confidence = Confidence::at(AT);
    let (a, b) = (data.rows(None), more.rows(Some(&weights)));
    assert_eq!(silhouette(&a, Limit::default(), confidence), silhouette(&b, Limit::default(), confidence));
    let social = |rows: &Clustering| social_fairness(rows, None, false, confidence).unwrap();
    assert_eq!(social(&a), social(&b));
    let nobody = vec![MISSING; 40];
    let rows = Clustering::new(data.features.view(), &data.segments, &nobody, None).unwrap();
    assert!(social(&rows).groups.is_empty() && social(&rows).max.value().is_err());
    assert!(silhouette(&rows, Limit::default(), confidence).overall.value.is_some());
}

#[test]
fn nasty_input_has_reasons() {
    let confidence = Confidence::at(AT);
    let none = Array2::<f64>::zeros((0, 2));
    let rows = Clustering::new(none.view(), &[], &[], None).unwrap();
    assert!(silhouette(&rows, Limit::default(), confidence).overall.value().is_err());
    assert!(social_fairness(&rows, None, true, confidence).unwrap().max.value().is_err());
    assert_eq!(price_of_fairness(&rows, None, true, confidence).unwrap().value(), Err(Undefined::NoRows));
    assert!(distance_fairness(&rows, None, Limit::default(), confidence).unwrap().worst.is_empty());

    let same = array![[1.0], [1.0], [1.0], [5.0]];
    let rows = Clustering::new(same.view(), &[0, 0, 0, 0], &[0, 0, 1, 1], None).unwrap();
    assert_eq!(silhouette(&rows, Limit::default(), confidence).overall.value(), Err(Undefined::OneSegment));
    let centres = array![[2.0], [5.0]];
    let d = distance_fairness(&rows, Some(centres.view()), Limit::default(), confidence).unwrap();
    // Half of all are on the same spot, and off every centre.
    assert_eq!(d.worst[0].value(), Err(Undefined::OverZero));
    assert_eq!(d.beyond[0].value, Some(1.0));
    let on = array![[1.0], [5.0]];
    let rows = Clustering::new(same.view(), &[0, 0, 0, 1], &[0, 0, 1, 1], None).unwrap();
    assert_eq!(price_of_fairness(&rows, Some(on.view()), true, confidence).unwrap().value(), Err(Undefined::OverZero));
    assert_eq!(social_fairness(&rows, None, true, confidence).unwrap().ratio.value(), Err(Undefined::OverZero));
    // Alone in a segment: 0. The others are on one spot: 1.
    let s = silhouette(&rows, Limit::default(), confidence);
    assert_eq!((s.groups[0].value, s.groups[1].value), (Some(1.0), Some(0.5)));

    let refused = |segments: &[u32], groups: &[u32], weights: Option<&[f64]>| {
        Clustering::new(same.view(), segments, groups, weights).unwrap_err().to_string()
    };
    assert!(refused(&[0], &[0; 4], None).contains("`segment` has 1 rows"));
    assert!(refused(&[0; 4], &[0, 0, 9, 0], None).contains("code 9"));
    assert!(refused(&[0; 4], &[0; 4], Some(&[1.0, -1.0, 1.0, 1.0])).contains("`-1`"));
    let nan = array![[1.0], [f64::NAN]];
    assert!(Clustering::new(nan.view(), &[0, 0], &[0, 0], None).is_err());
    let few = array![[1.0, 2.0]];
    assert!(social_fairness(&rows, Some(few.view()), true, confidence).is_err());
    assert!(social_fairness(&rows, Some(array![[1.0]].view()), true, confidence).is_err());
    // A segment that nobody is in has no centre, and nobody misses it.
    let rows = Clustering::new(same.view(), &[0, 0, 2, 2], &[0, 0, 1, 1], None).unwrap();
    assert!(social_fairness(&rows, None, true, confidence).unwrap().max.value.is_some());
    assert!(price_of_fairness(&rows, None, true, confidence).unwrap().value.is_some());
    assert!(silhouette(&rows, Limit::default(), confidence).overall.value.is_some());
}

#[test]
fn samples_are_near_and_repeat() {
    let data = drawn(6, 3000, 1.5);
    let confidence = Confidence::at(AT);
    let exact = silhouette(&data.rows(None), Limit::default(), confidence);
    let sampled = silhouette(&data.rows(None), all_rows(600), confidence);
    assert!(sampled.sampled && sampled.rows <= 602 && sampled.rows > 590);
    assert_eq!(sampled, silhouette(&data.rows(None), all_rows(600), confidence));
    for (a, b) in exact.groups.iter().zip(&sampled.groups) {
        assert!((a.value.unwrap() - b.value.unwrap()).abs() < 0.04, "{a:?} {b:?}");
    }
    let d = distance_fairness(&data.rows(None), None, all_rows(600), confidence).unwrap();
    let whole = distance_fairness(&data.rows(None), None, Limit::default(), confidence).unwrap();
    for (a, b) in whole.beyond.iter().zip(&d.beyond) {
        assert!((a.value.unwrap() - b.value.unwrap()).abs() < 0.05, "{a:?} {b:?}");
    }
}

#[test]
fn intervals_hold_what_is_there() {
    // With the true centres, squared distances are sd² times chi-square on 2: means 2 and 2 · 1.3².
    let centres = array![[0.0, 0.0], [4.0, 0.0], [8.0, 0.0]];
    let truth = [2.0, 2.0 * 1.69];
    let (rounds, mut covered) = (500u32, [0.0; 4]);
    for round in 0..rounds {
        let data = drawn(100 + u64::from(round), 200, 1.3);
        let f = social_fairness(&data.rows(None), Some(centres.view()), true, Confidence::at(AT)).unwrap();
        let (ratio, plain) = (f.ratio_of(0, 1), &f.ratio);
        let checks = [(&f.groups[0], truth[0]), (&f.groups[1], truth[1]), (&ratio, 1.0 / 1.69), (plain, 1.0 / 1.69)];
        for (hit, (estimate, truth)) in covered.iter_mut().zip(checks) {
            let (low, high) = estimate.interval().unwrap();
            *hit += f64::from(u8::from(low <= truth && truth <= high)) / f64::from(rounds);
        }
    }
    assert!(covered.iter().all(|c| *c > 0.92), "{covered:?}");
}
