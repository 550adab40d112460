//! The form for programs: JSON with a version and a schema.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::{Report, SCHEMA_VERSION, pieces};
use crate::error::{Error, Result};

/// Anything as JSON, indented, with a newline at its end.
pub(crate) fn written(of: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string_pretty(of).map_err(|e| Error::BadReport { problem: e.to_string() })?;
    text.push('\n');
    Ok(text)
}

impl Report {
    /// The report as JSON, indented but that each comparison is a line, with a newline at its end.
    /// [`json_schema`](Self::json_schema) describes it.
    ///
    /// # Errors
    /// [`Error::BadReport`], which no report that came from an audit gives.
    pub fn to_json(&self) -> Result<String> {
        let mut text = Vec::new();
        pieces::write(self, &mut text).map_err(|e| Error::BadReport { problem: e.to_string() })?;
        text.push(b'\n');
        String::from_utf8(text).map_err(|e| Error::BadReport { problem: e.to_string() })
    }

    /// Writes what [`to_json`](Self::to_json) answers, without holding all of it.
    ///
    /// # Errors
    /// What writing fails with.
    ///
    /// # Examples
    /// ```
    /// # use evenhand::{audit::AuditPlan, data::{Batch, Categorical}};
    /// # let sex = Categorical::from_values("sex", &["f", "m", "f", "m"]);
    /// # let report = AuditPlan::new().run(&Batch::builder().attribute(sex).decision([0, 1, 1, 1]).build()?)?;
    /// let mut file = Vec::new();
    /// report.write_json(&mut file)?;
    /// assert_eq!(String::from_utf8(file)?, report.to_json()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_json(&self, mut out: impl Write) -> io::Result<()> {
        pieces::write(self, &mut out)?;
        out.write_all(b"\n")
    }

    /// Reads what [`to_json`](Self::to_json) wrote: every figure comes back equal. Fields that this
    /// version does not know are passed over.
    ///
    /// # Errors
    /// [`Error::BadReport`] with the line, or with the version if it is not [`SCHEMA_VERSION`].
    ///
    /// # Examples
    /// ```
    /// use evenhand::report::Report;
    /// let error = Report::from_json(r#"{"schema_version": 7}"#).unwrap_err().to_string();
    /// assert!(error.contains("version 7"), "{error}");
    /// ```
    pub fn from_json(text: &str) -> Result<Report> {
        /// The version comes first: a report of another version may well lack other fields.
        #[derive(Deserialize)]
        struct Versioned {
            schema_version: Option<serde_json::Value>,
        }
        let bad =
            |e: serde_json::Error| Error::BadReport { problem: format!("{e}; it needs JSON as evenhand writes it") };
        let problem = match serde_json::from_str::<Versioned>(text).map_err(bad)?.schema_version {
            Some(v) if v == SCHEMA_VERSION => return serde_json::from_str(text).map_err(bad),
            Some(v) => format!(
                "it has schema version {v}, and this is evenhand {}, which reads version {SCHEMA_VERSION}; read it with \
                 the evenhand that wrote it (`provenance.version`), or make it again",
                env!("CARGO_PKG_VERSION")
            ),
            None => "it has no `schema_version`, so it is not a report of evenhand".into(),
        };
        Err(Error::BadReport { problem })
    }

    /// The schema of [`to_json`](Self::to_json): JSON Schema, draft 2020-12.
    pub fn json_schema() -> &'static str {
        include_str!("schema.json")
    }
}
