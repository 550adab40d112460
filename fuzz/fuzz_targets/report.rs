//! Any text as a stored report or tally: read and shown in every form, or an error; never a panic.
#![no_main]

use evenhand::audit::AuditPlan;
use evenhand::report::{Report, TextStyle};
use evenhand::tally::Tally;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(report) = Report::from_json(text) {
        let _ = report.to_text(TextStyle::default());
        let _ = report.to_markdown();
        let _ = report.to_csv();
        let again = report.to_json().ok().and_then(|json| Report::from_json(&json).ok());
        assert_eq!(again.as_ref(), Some(&report));
    }
    if let Ok(tally) = Tally::from_json(text) {
        let _ = AuditPlan::new().replicates(10).evaluate(&tally);
    }
});
