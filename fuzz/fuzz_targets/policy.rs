//! Any text as a policy, a column, bands or a named group: read, or an error; what is read can be written and
//! read again to the same.
#![no_main]

use evenhand::audit::{NamedGroup, Policy};
use evenhand::data::{Bands, Columns, LevelColumn};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for policy in [Policy::from_toml(text), Policy::from_json(text)].into_iter().flatten() {
        assert!(policy.check().is_ok());
    }
    if let Ok(bands) = text.parse::<Bands>() {
        assert_eq!(bands.to_string().parse::<Bands>().ok().map(|b| b.to_string()), Some(bands.to_string()));
    }
    if let Ok(column) = text.parse::<LevelColumn>() {
        let _ = Columns::new().attribute(column);
    }
    let _ = text.parse::<NamedGroup>();
});
