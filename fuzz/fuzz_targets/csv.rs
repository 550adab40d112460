//! Any bytes as a delimited file: counted, or an error that says where; never a panic, never a lost row.
#![no_main]

use std::io::Write;

use evenhand::audit::{AuditPlan, Policy};
use evenhand::data::{Columns, source::Source};
use evenhand::report::Report;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(data).is_err() {
        return;
    }
    let Ok(source) = Source::open(&[file.path()]) else { return };
    let _ = source.columns();
    let _ = source.sample(5);
    let Ok(sex) = "sex".parse() else { return };
    let Ok(age) = "age:<=25,26-40,>40".parse() else { return };
    let columns = Columns::new().attribute(sex).attribute(age).label("label").decision("decision").score("score").weight("weight");
    let Ok(policy) = Policy::preset("strict") else { return };
    let plan = AuditPlan::new().columns(columns).policy(policy).replicates(10);
    if let Ok(counted) = plan.tally_files(&source) {
        assert_eq!(counted.tally.rows(), counted.files.iter().map(|f| f.rows).sum::<u64>());
        if let Ok(report) = plan.evaluate(&counted.tally) {
            // What is not finite has no form in JSON, and would come back as nothing.
            let back = report.to_json().ok().and_then(|json| Report::from_json(&json).ok());
            assert!(back.is_some_and(|back| back == report));
        }
    }
});
