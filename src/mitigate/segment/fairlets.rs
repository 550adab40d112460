//! Fairlets: the smallest sets of rows that are balanced, clustered whole.

use rand::seq::SliceRandom;

use super::lloyd::{Points, squared};
use super::{FairKMeansValidParams, Found};
use crate::individual::MISSING;
use crate::inference::rng::stream;
use crate::mitigate::flow::{Problem, Range, assign};
use crate::{Error, Result};

/// Rows up to which the cheapest fairlets are found.
const EXACT: usize = 600;
/// Rows up to which any are: the distances of all pairs of the two groups are looked at.
const LARGEST: usize = 50_000;

impl FairKMeansValidParams {
    pub(super) fn fairlets(&self, points: &Points, groups: &[u32], count: usize, most: usize) -> Result<Found> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
        (0..points.len()).filter(|r| groups[*r] != MISSING).for_each(|r| members[groups[r] as usize].push(r));
        members.retain(|rows| !rows.is_empty());
        let [mut few, mut many] = <[Vec<usize>; 2]>::try_from(members).map_err(|members| {
            Error::setting("the number of groups", members.len(), "2 for fairlets; balance more with `Balanced`")
        })?;
        if few.len() > many.len() {
            std::mem::swap(&mut few, &mut many);
        }
        if many.len() > few.len().saturating_mul(most) {
            return Err(Error::Infeasible {
                asked: format!("a balance of 1 to {most}"),
                problem: format!("there are {} rows of one group and {} of the other", few.len(), many.len()),
                remedy: format!(
                    "tie up to {} of the larger group to one of the smaller",
                    many.len().div_ceil(few.len())
                ),
            });
        }
        if few.len() + many.len() > LARGEST {
            let expected = format!("at most {LARGEST} for fairlets; balance more with `Balanced`");
            return Err(Error::setting("the number of rows", few.len() + many.len(), expected));
        }
        let tied = if few.len() + many.len() <= EXACT {
            cheapest(points, &few, &many, most)
        } else {
            greedy(points, &few, &many, most, self.seed)
        };
        // Each fairlet as its weighted mean: what k-means costs beyond the spread within them.
        let mut sets: Vec<Vec<usize>> = few.iter().map(|row| vec![*row]).collect();
        many.iter().zip(&tied).for_each(|(row, set)| sets[*set].push(*row));
        let mut means = Points { values: Vec::new(), width: points.width, weights: Vec::new() };
        for set in &sets {
            let weight: f64 = set.iter().map(|row| points.weights[*row]).sum();
            // Of rows without weight it does not matter where the mean is, but it must be a number.
            let share = |row: usize| if weight > 0.0 { points.weights[row] / weight } else { 1.0 / set.len() as f64 };
            let mut mean = vec![0.0; points.width];
            for row in set {
                mean.iter_mut().zip(points.row(*row)).for_each(|(m, x)| *m += share(*row) * x);
            }
            means.values.extend(mean);
            means.weights.push(weight);
        }
        let clusters = self.clusters.min(sets.len());
        let found = FairKMeansValidParams { clusters, ..self.clone() }.plain(&means);
        let mut segments = points.nearest(&found.centres);
        for (set, segment) in sets.iter().zip(&found.segments) {
            set.iter().for_each(|row| segments[*row] = *segment);
        }
        Ok(Found { segments, ..found })
    }
}

/// The row of the smaller group that each row of the larger is tied to, by its place: from 1 to `most` to each, at the least
/// sum of squared distances.
pub(super) fn cheapest(points: &Points, few: &[usize], many: &[usize], most: usize) -> Vec<usize> {
    let pairs = many.iter().flat_map(|m| few.iter().map(move |f| (*m, *f)));
    let costs: Vec<f64> = pairs.map(|(m, f)| squared(points.row(m), points.row(f))).collect();
    let groups = vec![0; many.len()];
    let cells: Vec<Range> = vec![(0, many.len() as u64); few.len()];
    let sizes: Vec<Range> = vec![(1, most as u64); few.len()];
    let segments = few.len();
    let problem = Problem { segments, groups: &groups, units: None, costs: &costs, cells: &cells, sizes: &sizes };
    // Numbers were checked before: such ties exist.
    let units = assign(&problem).unwrap_or_default();
    units.chunks(segments).map(|of| of.iter().position(|u| *u > 0).unwrap_or(0)).collect()
}

/// The same, one row after another.
fn greedy(points: &Points, few: &[usize], many: &[usize], most: usize, seed: u64) -> Vec<usize> {
    let mut tied = vec![usize::MAX; many.len()];
    let mut rng = stream(seed, 0, 2);
    let mut order: Vec<usize> = (0..few.len()).collect();
    order.shuffle(&mut rng);
    let nearest = |row: usize, among: &mut dyn Iterator<Item = (usize, usize)>| {
        let distances = among.map(|(place, other)| (squared(points.row(row), points.row(other)), place));
        distances.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(_, place)| place)
    };
    for set in order {
        let mut free = many.iter().copied().enumerate().filter(|(place, _)| tied[*place] == usize::MAX);
        if let Some(place) = nearest(few[set], &mut free) {
            tied[place] = set;
        }
    }
    let mut room = vec![most - 1; few.len()];
    let mut order: Vec<usize> = (0..many.len()).filter(|place| tied[*place] == usize::MAX).collect();
    order.shuffle(&mut rng);
    for place in order {
        let mut open = few.iter().copied().enumerate().filter(|(set, _)| room[*set] > 0);
        if let Some(set) = nearest(many[place], &mut open) {
            tied[place] = set;
            room[set] -= 1;
        }
    }
    tied
}
