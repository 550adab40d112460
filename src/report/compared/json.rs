//! The form for programs.

use serde::Deserialize;

use crate::compare::{Changes, SCHEMA_VERSION};
use crate::error::{Error, Result};
use crate::report::json::written;

impl Changes {
    /// The changes as JSON, indented, with a newline at its end.
    ///
    /// # Errors
    /// [`Error::BadReport`], which no changes that came from a comparison give.
    pub fn to_json(&self) -> Result<String> {
        written(self)
    }

    /// Reads what [`to_json`](Self::to_json) wrote: every figure comes back equal.
    ///
    /// # Errors
    /// [`Error::BadReport`] with the line, or with the version if it is not [`SCHEMA_VERSION`].
    pub fn from_json(text: &str) -> Result<Changes> {
        #[derive(Deserialize)]
        struct Versioned {
            schema_version: u32,
        }
        let bad = |e: serde_json::Error| Error::BadReport {
            problem: format!("{e}; it needs JSON as evenhand compare writes it"),
        };
        let version = serde_json::from_str::<Versioned>(text).map_err(bad)?.schema_version;
        if version != SCHEMA_VERSION {
            let problem = format!("it has schema version {version}, and this evenhand reads version {SCHEMA_VERSION}");
            return Err(Error::BadReport { problem });
        }
        serde_json::from_str(text).map_err(bad)
    }
}
