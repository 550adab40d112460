//! The hot loops: from columns to slot numbers, from slot numbers to counts.
//!
//! Slot numbers of a chunk are staged in a buffer by one multiply-add per column, which the compiler
//! vectorises; counting then goes through several sub-tables, so that equal neighbours do not wait for
//! one another's stores. No row allocates, hashes or branches on its values.

use super::cells::{EDGE, Table};
use crate::data::{Batch, Codes, Cut, Model, Rule, UNKNOWN};

/// Rows staged at a time: slot numbers and columns stay in the first-level cache.
pub(crate) const CHUNK: usize = 4096;
/// Sub-tables that consecutive rows are spread over.
const LANES: usize = 8;

/// An integer wide enough for the slots of a table.
pub(crate) trait Word: Copy + Default {
    fn mul_add(&mut self, stride: u64, code: u32);
    /// As `mul_add`, for a byte: widened straight to the key, so that the loop vectorises at the key's width.
    fn mul_add_byte(&mut self, stride: Self, code: u8);
    fn of(stride: u64) -> Self;
    fn index(self) -> usize;
}

macro_rules! word {
    ($t:ty) => {
        impl Word for $t {
            #[inline(always)]
            fn mul_add(&mut self, stride: u64, code: u32) {
                *self = self.wrapping_add((stride as $t).wrapping_mul(code as $t));
            }
            #[inline(always)]
            fn mul_add_byte(&mut self, stride: Self, code: u8) {
                *self = self.wrapping_add(stride.wrapping_mul(<$t>::from(code)));
            }
            #[inline(always)]
            fn of(stride: u64) -> Self {
                stride as $t
            }
            #[inline(always)]
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
word!(u16);
word!(u32);
word!(u64);

/// A run of rows of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub from: usize,
    pub to: usize,
}

/// Adds each row's level, times the stride of its column, to its key. Code + 1 wraps missing to 0.
pub(crate) fn add_levels<W: Word>(keys: &mut [W], codes: &Codes, span: Span, stride: u64) {
    match codes {
        Codes::U8(c) => {
            let stride = W::of(stride);
            for (key, code) in keys.iter_mut().zip(&c[span.from..span.to]) {
                key.mul_add_byte(stride, code.wrapping_add(1));
            }
        }
        Codes::U16(c) => {
            for (key, code) in keys.iter_mut().zip(&c[span.from..span.to]) {
                key.mul_add(stride, u32::from(code.wrapping_add(1)));
            }
        }
        Codes::U32(c) => {
            for (key, code) in keys.iter_mut().zip(&c[span.from..span.to]) {
                key.mul_add(stride, code.wrapping_add(1));
            }
        }
    }
}

fn add_states<W: Word>(keys: &mut [W], states: &[u8], stride: u64) {
    let stride = W::of(stride);
    for (key, state) in keys.iter_mut().zip(states) {
        key.mul_add_byte(stride, *state);
    }
}

fn add_constant<W: Word>(keys: &mut [W], constant: u8, stride: u64) {
    for key in keys {
        key.mul_add(stride, u32::from(constant));
    }
}

/// Adds the label's part of the slot, `stride` for each state.
pub(crate) fn add_label<W: Word>(keys: &mut [W], batch: &Batch, span: Span, stride: u64) {
    match &batch.label {
        Some(label) => add_states(keys, &label.codes()[span.from..span.to], stride),
        None => add_constant(keys, UNKNOWN, stride),
    }
}

/// Adds a model's decision to the slot; without a model the decision is missing.
pub(crate) fn add_decision<W: Word>(keys: &mut [W], model: Option<&Model>, span: Span) {
    let by_score = |keys: &mut [W], model: &Model, decide: &dyn Fn(&[f64], &mut [u8])| {
        let mut states = [0u8; CHUNK];
        if let Some(score) = &model.score {
            let scores = &score.values[span.from..span.to];
            decide(scores, &mut states[..scores.len()]);
            add_states(keys, &states[..scores.len()], 1);
        }
    };
    match model.map(|m| (&m.rule, m)) {
        Some((Rule::Given(decision), _)) => add_states(keys, &decision.codes()[span.from..span.to], 1),
        Some((Rule::AtLeast(t), model)) => by_score(keys, model, &|scores, states| {
            for (state, s) in states.iter_mut().zip(scores) {
                *state = u8::from(s >= t) + 2 * u8::from(s.is_nan());
            }
        }),
        Some((Rule::Cut(Cut { cut, edge, .. }), model)) => {
            let at_edge = if *edge < 1.0 { EDGE } else { 1 };
            by_score(keys, model, &|scores, states| {
                for (state, s) in states.iter_mut().zip(scores) {
                    *state = u8::from(s > cut) + at_edge * u8::from(s == cut) + 2 * u8::from(s.is_nan());
                }
            });
        }
        Some((Rule::None | Rule::Top(_), _)) | None => add_constant(keys, UNKNOWN, 1),
    }
}

/// Counts of slots below `N`, spread over sub-tables.
pub(crate) struct Counter<const N: usize> {
    lanes: Vec<[u32; N]>,
    since: u64,
    total: Vec<u64>,
}

impl<const N: usize> Counter<N> {
    pub fn new() -> Self {
        Counter { lanes: vec![[0; N]; LANES], since: 0, total: vec![0; N] }
    }

    pub fn count(&mut self, keys: &[u16]) {
        // Far from the end of u32, whatever the chunk.
        if self.since > u64::from(u32::MAX / 2) {
            self.flush();
        }
        self.since += keys.len() as u64;
        let [a, b, c, d, e, f, g, h] = self.lanes.as_mut_slice() else { return };
        // The mask proves to the compiler that every index is inside; N is a power of two.
        let at = |key: u16| usize::from(key) & (N - 1);
        let mut groups = keys.chunks_exact(LANES);
        for keys in &mut groups {
            let &[k0, k1, k2, k3, k4, k5, k6, k7] = keys else { continue };
            a[at(k0)] += 1;
            b[at(k1)] += 1;
            c[at(k2)] += 1;
            d[at(k3)] += 1;
            e[at(k4)] += 1;
            f[at(k5)] += 1;
            g[at(k6)] += 1;
            h[at(k7)] += 1;
        }
        for key in groups.remainder() {
            a[at(*key)] += 1;
        }
    }

    fn flush(&mut self) {
        for lane in &mut self.lanes {
            for (total, count) in self.total.iter_mut().zip(lane.iter_mut()) {
                *total += u64::from(std::mem::take(count));
            }
        }
        self.since = 0;
    }

    pub fn finish(mut self) -> Vec<u64> {
        self.flush();
        self.total
    }
}

/// Adds rows, with their weights and scores, to the slots of a table.
pub(crate) fn accumulate<W: Word>(table: &mut Table, keys: &[W], weights: Option<&[f64]>, scores: Option<&[f64]>) {
    for key in keys {
        table.rows[key.index()] += 1;
    }
    if let (Some(sums), Some(weights)) = (&mut table.weights, weights) {
        for (key, w) in keys.iter().zip(weights) {
            let sum = &mut sums[key.index()];
            sum[0] += w;
            sum[1] += w * w;
        }
    }
    if let (Some(sums), Some(scores)) = (&mut table.scores, scores) {
        for (i, (key, s)) in keys.iter().zip(scores).enumerate() {
            if !s.is_nan() {
                sums[key.index()].push(weights.map_or(1.0, |w| w[i]), *s);
            }
        }
    }
}

/// The strides of the level columns for their radices, with so many slots a group: the last one varies fastest.
pub(crate) fn strides(radices: &[usize], slots: usize) -> Vec<u64> {
    let mut stride = slots as u64;
    let mut strides = vec![0; radices.len()];
    for (at, radix) in radices.iter().enumerate().rev() {
        strides[at] = stride;
        stride = stride.wrapping_mul(*radix as u64);
    }
    strides
}
