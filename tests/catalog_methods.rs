//! What the catalog says of intervals is what reports have: an interval where one is told, none where none is.

#![cfg(feature = "csv")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use evenhand::audit::AuditPlan;
use evenhand::data::source::Source;
use evenhand::data::{Columns, SegmentColumns};
use evenhand::metrics::{Estimate, catalog};

/// 600 people of two groups in three tiers, with scores, labels, targets, regions, earlier and right tiers.
fn people() -> String {
    let mut text = String::from("sex,region,responded,targeted,score,spent,tier,before,right\n");
    let tiers = ["basic", "silver", "gold"];
    for i in 0..600usize {
        let (mix, sex) = (i * 7919 % 601, ["f", "m"][i % 2]);
        let tier = tiers[(mix + i % 2) % 3];
        let (before, right) = (tiers[mix % 7 % 3], tiers[if mix % 4 == 0 { (mix + 1) % 3 } else { (mix + i % 2) % 3 }]);
        let score = (mix % 97) as f64 / 100.0 + if i % 2 == 0 { 0.0 } else { 0.02 };
        let responded = u8::from((mix * 31 % 100) as f64 / 100.0 < score);
        let _ = writeln!(
            text,
            "{sex},{},{responded},{},{score:.2},{},{tier},{before},{right}",
            ["north", "south"][mix % 5 % 2],
            u8::from(score > 0.5),
            mix % 50 + i % 2
        );
    }
    text
}

/// The names of figures that are known, and whether any of them has an interval.
fn figures(columns: Columns) -> BTreeMap<String, bool> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.csv");
    std::fs::write(&file, people()).unwrap();
    let report =
        AuditPlan::new().columns(columns).replicates(200).audit_files(&Source::open(&[&file]).unwrap()).unwrap();
    let mut found = BTreeMap::new();
    let mut see = |name: &str, estimate: &Estimate| {
        let there = estimate.low.is_some() || estimate.high.is_some();
        if estimate.value.is_some() {
            *found.entry(name.to_string()).or_default() |= there;
        }
    };
    for table in report.models.iter().flat_map(|m| &m.tables) {
        table.groups.iter().flat_map(|g| &g.metrics).for_each(|(name, estimate)| see(name, estimate));
        // Of a measure of one group, a comparison has its own interval.
        let own = |name: &str| catalog::measure(name).is_none_or(|m| m.of != evenhand::metrics::Of::Group);
        let disparities = table.disparities.iter().filter(|d| catalog::metric(&d.metric).is_none() && own(&d.metric));
        disparities.for_each(|d| see(&d.metric, &d.estimate));
    }
    found
}

#[test]
fn intervals_are_there_where_the_catalog_tells_of_one() {
    let base = || Columns::new().attribute("sex".parse().unwrap());
    let mut scored = base().label("responded").decision("targeted").score("score");
    scored.strata.push("region".parse().unwrap());
    let mut forecast = base().score("score");
    forecast.target = Some("spent".into());
    let mut segments = SegmentColumns::plain("tier");
    segments.order = ["basic", "silver", "gold"].map(String::from).to_vec();
    segments.values = [("basic".into(), 0.0), ("silver".into(), 10.0), ("gold".into(), 25.0)].into_iter().collect();
    let (mut moved, mut judged) = (segments.clone(), segments);
    moved.earlier = Some("before".into());
    judged.class = Some("right".into());
    let of_segments = |segments| {
        let mut columns = base();
        columns.segments.push(segments);
        columns
    };
    let mut seen = BTreeMap::new();
    for columns in [scored, forecast, of_segments(moved), of_segments(judged)] {
        for (name, there) in figures(columns) {
            *seen.entry(name).or_insert(false) |= there;
        }
    }
    assert!(seen.len() > 110, "{}", seen.len());
    for (name, there) in seen {
        let method = catalog::method(&name).unwrap_or_else(|| panic!("{name} is not in the catalog"));
        assert_eq!(there, !method.interval.starts_with("none"), "{name}: {}", method.interval);
    }
}
