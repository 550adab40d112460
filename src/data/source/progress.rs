//! How far the reading is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far the reading is. Bytes are those of the files; where a first pass is needed (the best k of the
/// scores, quantiles) they count twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The bytes read.
    pub bytes_done: u64,
    /// The bytes there are to read.
    pub bytes_total: u64,
    /// The rows counted.
    pub rows: u64,
}

/// Who wants to know.
pub(super) type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// Counts from all threads.
pub(super) struct Meter {
    total: u64,
    bytes: AtomicU64,
    rows: AtomicU64,
    listener: Option<Listener>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("total", &self.total).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Meter {
    pub fn new(total: u64, listener: Option<Listener>) -> Self {
        Meter { total, bytes: AtomicU64::new(0), rows: AtomicU64::new(0), listener }
    }

    /// A further pass begins: rows are counted afresh.
    pub fn restart(&self) {
        self.rows.store(0, Ordering::Relaxed);
    }

    /// More bytes and rows are done; called once a chunk.
    pub fn add(&self, bytes: u64, rows: u64) {
        let bytes_done = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        if let Some(listener) = &self.listener {
            listener(Progress { bytes_done: bytes_done.min(self.total), bytes_total: self.total, rows });
        }
    }
}
