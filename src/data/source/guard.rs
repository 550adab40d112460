//! Decoders of other crates, kept from bringing the whole down.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::spool::Input;
use crate::error::{Error, Result};

/// Runs a decoder, which panics on some damaged files (lengths out of range, missing dictionaries): flipping each byte of a
/// file shows it. What it was working on is dropped, so nothing broken is seen again.
pub(super) fn guard<T>(input: &Input, row_group: Option<usize>, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    let result = catch_unwind(AssertUnwindSafe(decode));
    result.unwrap_or_else(|_| Err(damaged(input, row_group, "the decoder stumbled over it")))
}

pub(super) fn damaged(input: &Input, row_group: Option<usize>, problem: &str) -> Error {
    let problem = format!("it is damaged: {problem}; write or fetch it again");
    Error::BadFile { file: input.given.clone(), row_group, problem }
}
