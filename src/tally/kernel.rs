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
    add_codes(keys, codes, span, stride, 1);
}

/// Adds each row's code and a bias, times the stride of its column, to its key.
fn add_codes<W: Word>(keys: &mut [W], codes: &Codes, span: Span, stride: u64, bias: u8) {
    match codes {
        Codes::U8(c) => add_bytes(keys, None, &[Bytes { states: c, stride, bias }], span),
        Codes::U16(c) => {
            for (key, code) in keys.iter_mut().zip(&c[span.from..span.to]) {
                key.mul_add(stride, u32::from(code.wrapping_add(bias.into())));
            }
        }
        Codes::U32(c) => {
            for (key, code) in keys.iter_mut().zip(&c[span.from..span.to]) {
                key.mul_add(stride, code.wrapping_add(bias.into()));
            }
        }
    }
}

/// A column of bytes: a row's byte and a bias, times the stride, is its part of the key.
#[derive(Clone, Copy)]
struct Bytes<'b> {
    states: &'b [u8],
    stride: u64,
    bias: u8,
}

/// Columns to a pass over the keys, which loads and stores them once for all of these.
const AT_ONCE: usize = 4;

/// Adds columns of bytes to the keys, or to a start that is the same for all rows.
fn add_bytes<W: Word>(keys: &mut [W], mut start: Option<W>, columns: &[Bytes], span: Span) {
    for some in columns.chunks(AT_ONCE) {
        match *some {
            [a] => add_each(keys, start.take(), [a], span),
            [a, b] => add_each(keys, start.take(), [a, b], span),
            [a, b, c] => add_each(keys, start.take(), [a, b, c], span),
            [a, b, c, d] => add_each(keys, start.take(), [a, b, c, d], span),
            _ => {}
        }
    }
    if let Some(start) = start {
        keys.fill(start);
    }
}

/// One pass. Its loops have no bounds to check and are unrolled over the columns, so that they vectorise.
fn add_each<W: Word, const K: usize>(keys: &mut [W], start: Option<W>, columns: [Bytes; K], span: Span) {
    let rows = keys.len();
    let states = columns.map(|column| &column.states[span.from..span.to][..rows]);
    let digits = columns.map(|column| (W::of(column.stride), column.bias));
    let sum = |mut key: W, row: usize| {
        for (states, (stride, bias)) in states.iter().zip(digits) {
            key.mul_add_byte(stride, states[row].wrapping_add(bias));
        }
        key
    };
    match start {
        Some(start) => keys.iter_mut().enumerate().for_each(|(row, key)| *key = sum(start, row)),
        None => keys.iter_mut().enumerate().for_each(|(row, key)| *key = sum(*key, row)),
    }
}

/// What a row's key is made of: a digit for each column.
pub(crate) struct Keys<'b, 'a> {
    /// What is the same for all rows.
    start: u64,
    bytes: Vec<Bytes<'b>>,
    wide: Vec<(&'b Codes<'a>, u64, u8)>,
    /// The model whose scores decide.
    deciding: Option<&'b Model<'a>>,
}

impl<'b, 'a> Keys<'b, 'a> {
    /// No digits yet.
    pub fn new() -> Self {
        Keys { start: 0, bytes: Vec::new(), wide: Vec::new(), deciding: None }
    }

    /// A digit for a column of levels, with a place for missing or without.
    pub fn levels(&mut self, codes: &'b Codes<'a>, stride: u64, gaps: bool) {
        match codes {
            Codes::U8(states) => self.bytes.push(Bytes { states, stride, bias: gaps.into() }),
            wide => self.wide.push((wide, stride, gaps.into())),
        }
    }

    /// A digit for the label, if there is one, else what is the digit of unknown.
    pub fn label(&mut self, batch: &'b Batch, stride: u64) {
        match &batch.label {
            Some(label) => self.bytes.push(Bytes { states: label.codes(), stride, bias: 0 }),
            None => self.start += stride * u64::from(UNKNOWN),
        }
    }

    /// A digit of stride 1 for a model's decision, if there is one, else that of missing.
    pub fn decision(&mut self, model: Option<&'b Model<'a>>) {
        match model.map(|m| &m.rule) {
            Some(Rule::Given(decision)) => self.bytes.push(Bytes { states: decision.codes(), stride: 1, bias: 0 }),
            Some(Rule::AtLeast(_) | Rule::Cut(_)) => self.deciding = model,
            Some(Rule::None | Rule::Top(_)) | None => self.start += u64::from(UNKNOWN),
        }
    }

    /// The keys of a span of at most [`CHUNK`] rows.
    pub fn stage<W: Word>(&self, keys: &mut [W], span: Span) {
        add_bytes(keys, Some(W::of(self.start)), &self.bytes, span);
        for (codes, stride, bias) in &self.wide {
            add_codes(keys, codes, span, *stride, *bias);
        }
        if let Some(model) = self.deciding {
            add_decided(keys, model, span);
        }
    }
}

/// Adds what scores decide.
fn add_decided<W: Word>(keys: &mut [W], model: &Model, span: Span) {
    let Some(score) = &model.score else { return };
    let scores = &score.values[span.from..span.to];
    let mut states = [0u8; CHUNK];
    let states = &mut states[..scores.len()];
    match &model.rule {
        Rule::AtLeast(t) => {
            for (state, s) in states.iter_mut().zip(scores) {
                *state = u8::from(s >= t) + 2 * u8::from(s.is_nan());
            }
        }
        Rule::Cut(Cut { cut, edge, .. }) => {
            let at_edge = if *edge < 1.0 { EDGE } else { 1 };
            for (state, s) in states.iter_mut().zip(scores) {
                *state = u8::from(s > cut) + at_edge * u8::from(s == cut) + 2 * u8::from(s.is_nan());
            }
        }
        Rule::Given(_) | Rule::None | Rule::Top(_) => return,
    }
    add_bytes(keys, None, &[Bytes { states, stride: 1, bias: 0 }], Span { from: 0, to: scores.len() });
}

/// A sub-table. What stands behind it keeps the same slot of two of them from lying whole pages apart: a processor takes
/// such places for the same one, and lets the read of one wait for the write of the other.
#[derive(Clone, Copy)]
struct Lane<T, const N: usize> {
    slots: [T; N],
    _apart: [u32; 16],
}

impl<T: Copy, const N: usize> Lane<T, N> {
    fn of(empty: T) -> Self {
        Lane { slots: [empty; N], _apart: [0; 16] }
    }
}

/// Counts of slots below `N`, spread over sub-tables.
pub(crate) struct Counter<const N: usize> {
    lanes: Vec<Lane<u32, N>>,
    since: u64,
    total: Vec<u64>,
}

impl<const N: usize> Counter<N> {
    pub fn new() -> Self {
        Counter { lanes: vec![Lane::of(0); LANES], since: 0, total: vec![0; N] }
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
            a.slots[at(k0)] += 1;
            b.slots[at(k1)] += 1;
            c.slots[at(k2)] += 1;
            d.slots[at(k3)] += 1;
            e.slots[at(k4)] += 1;
            f.slots[at(k5)] += 1;
            g.slots[at(k6)] += 1;
            h.slots[at(k7)] += 1;
        }
        for key in groups.remainder() {
            a.slots[at(*key)] += 1;
        }
    }

    fn flush(&mut self) {
        for lane in &mut self.lanes {
            for (total, count) in self.total.iter_mut().zip(&mut lane.slots) {
                *total += u64::from(std::mem::take(count));
            }
        }
        self.since = 0;
    }

    /// The rows of the first so many slots.
    pub fn finish(mut self, slots: usize) -> Table {
        self.flush();
        self.total.truncate(slots);
        Table { rows: self.total, weights: None, scores: None }
    }
}

/// Rows, weights and squared weights of slots below `N`, spread over sub-tables. (A fourth number is room: no slot then lies
/// in two lines of the cache.)
pub(crate) struct Sums<const N: usize>(Vec<Lane<[f64; 4], N>>);

impl<const N: usize> Sums<N> {
    pub fn new() -> Self {
        Sums(vec![Lane::of([0.0; 4]); 4])
    }

    pub fn add(&mut self, keys: &[u16], weights: &[f64]) {
        let [a, b, c, d] = self.0.as_mut_slice() else { return };
        // The mask proves to the compiler that every index is inside; N is a power of two.
        let at = |key: u16| usize::from(key) & (N - 1);
        let push = |sum: &mut [f64; 4], w: f64| {
            sum[0] += 1.0;
            sum[1] += w;
            sum[2] += w * w;
        };
        let (mut fours, mut theirs) = (keys.chunks_exact(4), weights.chunks_exact(4));
        for (keys, weights) in (&mut fours).zip(&mut theirs) {
            let (&[k0, k1, k2, k3], &[w0, w1, w2, w3]) = (keys, weights) else { continue };
            push(&mut a.slots[at(k0)], w0);
            push(&mut b.slots[at(k1)], w1);
            push(&mut c.slots[at(k2)], w2);
            push(&mut d.slots[at(k3)], w3);
        }
        for (key, w) in fours.remainder().iter().zip(theirs.remainder()) {
            push(&mut a.slots[at(*key)], *w);
        }
    }

    /// The rows, Σw and Σw² of the first so many slots.
    pub fn finish(self, slots: usize) -> Table {
        let mut table = Table::zeros(slots, true, false);
        for lane in &self.0 {
            for (at, [rows, weight, squared, _]) in lane.slots.iter().enumerate().take(slots) {
                // Less than 2⁵³ rows are counted exactly.
                table.rows[at] += *rows as u64;
                if let Some(weights) = &mut table.weights {
                    weights[at][0] += weight;
                    weights[at][1] += squared;
                }
            }
        }
        table
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
