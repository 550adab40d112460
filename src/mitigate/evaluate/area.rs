//! The area under the ROC curve of held-out rows, and what each row adds to its error.

/// The area within each part that was judged at once, averaged over parts; with each row's influence.
#[derive(Debug, Clone, Default)]
pub(super) struct Areas {
    parts: f64,
    sum: f64,
    /// Σ over parts of each row's influence on the part's area.
    influence: Vec<f64>,
    undefined: bool,
}

impl Areas {
    pub fn of_rows(rows: usize) -> Self {
        Areas { influence: vec![0.0; rows], ..Areas::default() }
    }

    /// Adds a part: its rows' numbers, scores, labels and weights. Without scores, or without both labels, there is no
    /// area of the whole.
    pub fn add(&mut self, rows: &[usize], scores: Option<&[f64]>, labels: &[bool], weights: &[f64]) {
        let Some((area, influence)) = scores.and_then(|scores| area(scores, labels, weights)) else {
            self.undefined = true;
            return;
        };
        self.parts += 1.0;
        self.sum += area;
        rows.iter().zip(influence).for_each(|(row, influence)| self.influence[*row] += influence);
    }

    pub fn value(&self) -> Option<f64> {
        (!self.undefined && self.parts > 0.0).then(|| self.sum / self.parts)
    }

    /// DeLong's standard error.
    pub fn error(&self) -> f64 {
        self.influence.iter().map(|i| i * i).sum::<f64>().sqrt() / self.parts.max(1.0)
    }

    /// That of the difference to another model's area on the same rows.
    pub fn error_of_change(&self, before: &Areas) -> f64 {
        let (here, there) = (self.parts.max(1.0), before.parts.max(1.0));
        let pairs = self.influence.iter().zip(&before.influence);
        pairs.map(|(a, b)| (a / here - b / there).powi(2)).sum::<f64>().sqrt()
    }
}

/// The weighted area, and each row's influence: `w (placement − area) / W` of its own label, stretched by √(n/(n − 1)).
fn area(scores: &[f64], labels: &[bool], weights: &[f64]) -> Option<(f64, Vec<f64>)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|i, j| scores[*i].total_cmp(&scores[*j]));
    let mut totals = [0.0f64; 2];
    let mut squares = [0.0f64; 2];
    for (label, w) in labels.iter().zip(weights) {
        totals[usize::from(*label)] += w;
        squares[usize::from(*label)] += w * w;
    }
    if totals.iter().any(|t| !(*t > 0.0)) {
        return None;
    }
    // For each row, the weight of the other label below it and half of that tied with it, as a share.
    let mut placement = vec![0.0; scores.len()];
    let mut below = [0.0f64; 2];
    for tied in order.chunk_by(|i, j| scores[*i] == scores[*j]) {
        let mut here = [0.0f64; 2];
        tied.iter().for_each(|row| here[usize::from(labels[*row])] += weights[*row]);
        for row in tied {
            let other = usize::from(!labels[*row]);
            placement[*row] = (below[other] + here[other] / 2.0) / totals[other];
        }
        (0..2).for_each(|label| below[label] += here[label]);
    }
    let weighted = (0..scores.len()).filter(|row| labels[*row]).map(|row| weights[row] * placement[row]);
    let area = weighted.sum::<f64>() / totals[1];
    let stretch = [0, 1].map(|label| {
        let n = totals[label] * totals[label] / squares[label];
        if n > 1.0 { (n / (n - 1.0)).sqrt() } else { 0.0 }
    });
    let influence = (0..scores.len()).map(|row| {
        let label = usize::from(labels[row]);
        // A negative's part is the share of positives above it.
        let part = if labels[row] { placement[row] } else { 1.0 - placement[row] };
        weights[row] * (part - area) * stretch[label] / totals[label]
    });
    Some((area, influence.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Confidence;
    use crate::metrics::scores::delong_paired;

    #[test]
    fn one_part_is_delongs() {
        let n = 200;
        let score = |k: usize| -> Vec<f64> {
            (0..n).map(|i| ((i * k) % 97) as f64 / 97.0).map(|s| (s * 20.0).round()).collect()
        };
        let (one, two) = (score(31), score(17));
        let labels: Vec<bool> = (0..n).map(|i| (one[i] + two[i] + ((i * 7) % 23) as f64) > 30.0).collect();
        let rows: Vec<usize> = (0..n).collect();
        let of = |scores: &[f64]| {
            let mut areas = Areas::of_rows(n);
            areas.add(&rows, Some(scores), &labels, &vec![2.0; n]);
            areas
        };
        let (first, second) = (of(&one), of(&two));
        let codes: Vec<u8> = labels.iter().map(|l| u8::from(*l)).collect();
        let theirs = delong_paired([&one, &two], &codes, Confidence::at(0.95)).estimate;
        let value = first.value().unwrap() - second.value().unwrap();
        assert!((value - theirs.value.unwrap()).abs() < 1e-12);
        let arm = 1.959964 * first.error_of_change(&second);
        assert!((value + arm - theirs.high.unwrap()).abs() < 1e-6, "{arm} {theirs:?}");
        let mut none = Areas::of_rows(2);
        none.add(&[0, 1], Some(&[0.1, 0.2]), &[true, true], &[1.0, 1.0]);
        assert_eq!(none.value(), None);
    }
}
