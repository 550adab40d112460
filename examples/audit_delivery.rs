//! Who sees the job advert? Audits a table of delivery counts and prints the report.
//!
//! The table is MADE UP, with a known skew: both adverts admit women and men alike, but `lorries` reaches women at half
//! the rate of men at every level of interest, and `nursing` reaches all alike.

mod story;

use evenhand::metrics::delivery::{DeliveryRow, DeliverySettings, DeliveryTable, MEASURES};

use story::say;

/// Campaign, group, interest before the campaign; market, eligible, reached, impressions, clicks, spend.
const TABLE: [(&str, &str, &str, [f64; 6]); 8] = [
    ("lorries", "women", "low", [6000.0, 4000.0, 200.0, 400.0, 6.0, 30.0]),
    ("lorries", "women", "high", [4000.0, 3000.0, 450.0, 950.0, 40.0, 70.0]),
    ("lorries", "men", "low", [6000.0, 4000.0, 400.0, 800.0, 12.0, 48.0]),
    ("lorries", "men", "high", [4000.0, 3000.0, 900.0, 1900.0, 80.0, 110.0]),
    ("nursing", "women", "low", [6000.0, 4000.0, 310.0, 620.0, 9.0, 40.0]),
    ("nursing", "women", "high", [4000.0, 3000.0, 680.0, 1400.0, 55.0, 85.0]),
    ("nursing", "men", "low", [6000.0, 4000.0, 300.0, 610.0, 9.0, 40.0]),
    ("nursing", "men", "high", [4000.0, 3000.0, 690.0, 1410.0, 54.0, 85.0]),
];

fn main() -> Result<(), evenhand::Error> {
    let rows = TABLE.map(|(campaign, group, interest, [audience, eligible, reached, impressions, clicks, spend])| {
        DeliveryRow {
            campaign: campaign.into(),
            group: group.into(),
            stratum: Some(interest.into()),
            audience: Some(audience),
            eligible,
            reached: Some(reached),
            impressions,
            clicks: Some(clicks),
            spend: Some(spend),
            ..DeliveryRow::default()
        }
    });
    let table = DeliveryTable::new(rows.to_vec())?;
    let settings =
        DeliverySettings { pairs: vec![["nursing".into(), "lorries".into()]], ..DeliverySettings::default() };
    let report = table.audit(&settings)?;
    say(
        "Two job adverts were open to women and men alike. Who saw them? The table is made up, with a known skew: somewhere \
         between the audience that was chosen and the people who were shown it.",
    );
    println!();
    print!("{}", report.to_text());

    println!("\nIs the skew of `lorries` the targeting's or the delivery's?");
    for campaign in report.campaigns.iter().filter(|c| c.campaign == "lorries") {
        for name in ["targeting_skew", "delivery_skew", "whole_skew"] {
            let value = campaign.groups.get("women").and_then(|g| g.get(name)).and_then(|e| e.value);
            let title = MEASURES.iter().find(|m| m.name == name).map_or("", |m| m.title);
            println!("  {name}: {:.2} ({title})", value.unwrap_or_default());
        }
    }
    Ok(())
}
