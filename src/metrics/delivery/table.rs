//! The aggregate table that a delivery audit starts from, checked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::paired::{AdSide, PairedAds};
use super::shares::share_noise;
use crate::error::{Error, Place, Result};

/// One line of the table: what a campaign did for a group (in a stratum).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// The campaign or advert.
    pub campaign: String,
    /// The group of people.
    pub group: String,
    /// A legitimate reason to differ, such as a band of interest known before the campaign.
    pub stratum: Option<String>,
    /// People of the group in the market, whom the advertiser could have addressed.
    pub audience: Option<f64>,
    /// People of the group in the seed audience that was expanded to the eligible (a lookalike audience).
    pub seed: Option<f64>,
    /// People whom the targeting admits.
    pub eligible: f64,
    /// Distinct people who were shown the advert.
    pub reached: Option<f64>,
    /// Times it was shown.
    pub impressions: f64,
    /// Clicks.
    pub clicks: Option<f64>,
    /// Money spent on showing it to them.
    pub spend: Option<f64>,
    /// The stated standard deviation of noise in each count of people, impressions and clicks: added for privacy (of
    /// Laplace's noise of scale b, √2 b) or that stands for rounding to multiples of N (N / √2: its errors do not fall
    /// like noise where steps are coarse, and those of two groups with a round total go opposite ways); 0 for none.
    pub noise_sd: f64,
}

/// A group's counts, summed over strata (and campaigns).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupDelivery {
    /// The group.
    pub group: String,
    /// People in the market, where known in every line.
    pub audience: Option<f64>,
    /// People in the seed audience, where known in every line.
    pub seed: Option<f64>,
    /// People whom the targeting admits; over several campaigns, once for each campaign.
    pub eligible: f64,
    /// Distinct people reached, where known in every line; over several campaigns, once for each.
    pub reached: Option<f64>,
    /// Times shown.
    pub impressions: f64,
    /// Clicks, where known in every line.
    pub clicks: Option<f64>,
    /// Money spent, where known in every line.
    pub spend: Option<f64>,
    /// The variance of the noise in each of these counts.
    pub noise: f64,
}

/// Lines of campaigns, groups and strata that passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryTable {
    rows: Vec<DeliveryRow>,
    campaigns: Vec<String>,
}

/// One person in the market of a campaign.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PersonDelivery {
    /// The campaign or advert.
    pub campaign: String,
    /// The person's group.
    pub group: String,
    /// A legitimate reason to differ, known before the campaign.
    pub stratum: Option<String>,
    /// Whether the targeting admits the person.
    pub eligible: bool,
    /// Times the person was shown the advert.
    pub impressions: f64,
    /// The person's clicks.
    pub clicks: f64,
    /// Money spent on the person.
    pub spend: f64,
}

pub(super) const NUMBER: &str = "a finite number of 0 or more";

impl DeliveryTable {
    /// A table of these lines.
    ///
    /// # Errors
    /// [`Error::Nothing`] without lines; [`Error::BadNumber`] with the row for a negative or non-finite number, more people
    /// reached than eligible or than impressions (where no noise explains it), or a line given twice;
    /// [`Error::BadSetting`] for a campaign with one group, or with a stratum in some lines only.
    pub fn new(rows: Vec<DeliveryRow>) -> Result<Self> {
        if rows.is_empty() {
            return Err(Error::Nothing { problem: "the delivery table has no rows", place: Place::default() });
        }
        let mut seen = BTreeSet::new();
        for (i, row) in rows.iter().enumerate() {
            let bad = |column: &str, value: f64, expected| Error::BadNumber {
                column: column.into(),
                value: value.to_string(),
                place: Place::row(i),
                expected,
            };
            for (column, value) in numbers(row) {
                if let Some(value) = value.filter(|v| !(v.is_finite() && *v >= 0.0)) {
                    return Err(bad(column, value, NUMBER));
                }
            }
            if let Some(reached) = row.reached.filter(|r| *r > row.eligible && row.noise_sd == 0.0) {
                return Err(bad("reached", reached, "no more people than are eligible"));
            }
            if let Some(reached) = row.reached.filter(|r| *r > row.impressions && row.noise_sd == 0.0) {
                return Err(bad("reached", reached, "no more people than impressions"));
            }
            if !seen.insert((&row.campaign, &row.group, &row.stratum)) {
                let stratum = row.stratum.as_ref().map(|s| format!(", {s}")).unwrap_or_default();
                return Err(Error::BadNumber {
                    column: "group".into(),
                    value: format!("{}, {}{stratum}", row.campaign, row.group),
                    place: Place::row(i),
                    expected: "one row for each campaign and group (and stratum): add the rows up, or name the strata",
                });
            }
        }
        let mut campaigns: Vec<String> = Vec::new();
        for row in &rows {
            if !campaigns.contains(&row.campaign) {
                campaigns.push(row.campaign.clone());
            }
        }
        for campaign in &campaigns {
            let of = || rows.iter().filter(|r| r.campaign == *campaign);
            let groups = of().map(|r| &r.group).collect::<BTreeSet<_>>().len();
            if groups < 2 {
                return Err(Error::setting(
                    &format!("the number of groups of campaign `{campaign}`"),
                    groups,
                    "two or more groups to compare",
                ));
            }
            let strata = of().filter(|r| r.stratum.is_some()).count();
            if strata != 0 && strata != of().count() {
                return Err(Error::setting(
                    &format!("the number of rows with a stratum in campaign `{campaign}`"),
                    format!("{strata} of {}", of().count()),
                    "a stratum in all of its rows or in none",
                ));
            }
        }
        Ok(DeliveryTable { rows, campaigns })
    }

    /// A table counted from people, a row for each person in the market of each campaign.
    ///
    /// The audience is everybody, the eligible those with `eligible`, the reached those with at least one impression.
    ///
    /// # Errors
    /// [`Error::BadNumber`] with the row for a negative or non-finite number, or impressions, clicks or spend on somebody who
    /// is not eligible; those of [`new`](Self::new).
    ///
    /// # Examples
    /// ```
    /// use evenhand::metrics::delivery::{DeliveryTable, PersonDelivery};
    /// let person = |group: &str, eligible, impressions| PersonDelivery {
    ///     campaign: "jobs".into(), group: group.into(), eligible, impressions, ..PersonDelivery::default()
    /// };
    /// let table = DeliveryTable::from_people(&[person("f", true, 3.0), person("f", false, 0.0), person("m", true, 0.0)])?;
    /// let women = &table.groups(None)[0];
    /// assert_eq!((women.audience, women.eligible, women.reached, women.impressions), (Some(2.0), 1.0, Some(1.0), 3.0));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn from_people(people: &[PersonDelivery]) -> Result<Self> {
        let mut rows: Vec<DeliveryRow> = Vec::new();
        let mut places = std::collections::BTreeMap::new();
        for (i, person) in people.iter().enumerate() {
            let bad = |column: &str, value: f64, expected| Error::BadNumber {
                column: column.into(),
                value: value.to_string(),
                place: Place::row(i),
                expected,
            };
            for (column, v) in [("impressions", person.impressions), ("clicks", person.clicks), ("spend", person.spend)]
            {
                if !(v.is_finite() && v >= 0.0) {
                    return Err(bad(column, v, NUMBER));
                }
                if v > 0.0 && !person.eligible {
                    return Err(bad(column, v, "0 for a person who is not eligible"));
                }
            }
            let at = *places.entry((&person.campaign, &person.group, &person.stratum)).or_insert_with(|| {
                rows.push(DeliveryRow {
                    campaign: person.campaign.clone(),
                    group: person.group.clone(),
                    stratum: person.stratum.clone(),
                    audience: Some(0.0),
                    reached: Some(0.0),
                    clicks: Some(0.0),
                    spend: Some(0.0),
                    ..DeliveryRow::default()
                });
                rows.len() - 1
            });
            let row = &mut rows[at];
            let add = |to: &mut Option<f64>, v: f64| *to = to.map(|t| t + v);
            add(&mut row.audience, 1.0);
            add(&mut row.reached, f64::from(person.impressions > 0.0));
            add(&mut row.clicks, person.clicks);
            add(&mut row.spend, person.spend);
            row.eligible += f64::from(person.eligible);
            row.impressions += person.impressions;
        }
        Self::new(rows)
    }

    /// The lines of one stratum alone, such as the interested.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a stratum that no line has; those of [`new`](Self::new) where too little is left.
    pub fn within(&self, stratum: &str) -> Result<Self> {
        let rows: Vec<DeliveryRow> =
            self.rows.iter().filter(|r| r.stratum.as_deref() == Some(stratum)).cloned().collect();
        if rows.is_empty() {
            let all: BTreeSet<&str> = self.rows.iter().filter_map(|r| r.stratum.as_deref()).collect();
            return Err(Error::unknown("stratum", stratum, "", all));
        }
        Self::new(rows)
    }

    /// The lines.
    pub fn rows(&self) -> &[DeliveryRow] {
        &self.rows
    }

    /// The campaigns, in the order in which they first occur.
    pub fn campaigns(&self) -> &[String] {
        &self.campaigns
    }

    /// The groups of a campaign, or of all together, summed over strata, in the order in which they first occur.
    pub fn groups(&self, campaign: Option<&str>) -> Vec<GroupDelivery> {
        let mut groups: Vec<GroupDelivery> = Vec::new();
        for row in self.rows.iter().filter(|r| campaign.is_none_or(|c| r.campaign == c)) {
            let known = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a + b);
            match groups.iter_mut().find(|g| g.group == row.group) {
                Some(g) => {
                    g.audience = known(g.audience, row.audience);
                    g.eligible += row.eligible;
                    g.reached = known(g.reached, row.reached);
                    g.impressions += row.impressions;
                    g.clicks = known(g.clicks, row.clicks);
                    g.spend = known(g.spend, row.spend);
                    g.seed = known(g.seed, row.seed);
                    g.noise += row.noise_sd * row.noise_sd;
                }
                None => groups.push(GroupDelivery {
                    group: row.group.clone(),
                    audience: row.audience,
                    seed: row.seed,
                    eligible: row.eligible,
                    reached: row.reached,
                    impressions: row.impressions,
                    clicks: row.clicks,
                    spend: row.spend,
                    noise: row.noise_sd * row.noise_sd,
                }),
            }
        }
        groups
    }

    /// Two campaigns as a pair of adverts: a group's share of the people reached, where both know them, else of the
    /// impressions.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a campaign or a group that is not there.
    pub fn pair(&self, first: &str, second: &str, group: &str) -> Result<PairedAds> {
        let find = |campaign: &str| {
            let groups = self.groups(Some(campaign));
            if groups.is_empty() {
                return Err(Error::unknown("campaign", campaign, "", self.campaigns.iter().map(String::as_str)));
            }
            match groups.iter().position(|g| g.group == group) {
                Some(i) => Ok((groups, i)),
                None => {
                    let of = format!(" in campaign `{campaign}`");
                    Err(Error::unknown("group", group, of, groups.iter().map(|g| g.group.as_str())))
                }
            }
        };
        let sides = [find(first)?, find(second)?];
        let people = sides.iter().all(|(groups, _)| groups.iter().all(|g| g.reached.is_some()));
        let [first_side, second_side] = sides.map(|(groups, i)| {
            let counts: Vec<f64> =
                groups.iter().map(|g| g.reached.filter(|_| people).unwrap_or(g.impressions)).collect();
            let noise: Vec<f64> = groups.iter().map(|g| g.noise).collect();
            AdSide { group: counts[i], all: counts.iter().sum(), share_noise: share_noise(&counts, &noise, i) }
        });
        Ok(PairedAds { name: format!("{first} / {second}"), first: first_side, second: second_side })
    }
}

fn numbers(row: &DeliveryRow) -> [(&'static str, Option<f64>); 8] {
    [
        ("audience", row.audience),
        ("eligible", Some(row.eligible)),
        ("reached", row.reached),
        ("impressions", Some(row.impressions)),
        ("clicks", row.clicks),
        ("spend", row.spend),
        ("seed", row.seed),
        ("noise_sd", Some(row.noise_sd)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(campaign: &str, group: &str) -> DeliveryRow {
        DeliveryRow {
            campaign: campaign.into(),
            group: group.into(),
            eligible: 100.0,
            reached: Some(10.0),
            impressions: 20.0,
            ..DeliveryRow::default()
        }
    }

    #[test]
    fn sums_over_strata() {
        let line = |group: &str, stratum: &str, reached, noise_sd| DeliveryRow {
            stratum: Some(stratum.into()),
            reached,
            noise_sd,
            spend: Some(2.0),
            ..row("x", group)
        };
        let rows =
            vec![line("f", "low", Some(10.0), 3.0), line("f", "high", None, 4.0), line("m", "low", Some(8.0), 0.0)];
        let table = DeliveryTable::new(rows).unwrap();
        let groups = table.groups(Some("x"));
        assert_eq!((groups[0].eligible, groups[0].reached, groups[0].noise), (200.0, None, 25.0));
        assert_eq!((groups[0].spend, groups[1].reached, groups[1].noise), (Some(4.0), Some(8.0), 0.0));
        assert_eq!(table.within("low").unwrap().groups(None)[0].eligible, 100.0);
        assert!(table.within("lo").unwrap_err().to_string().contains("did you mean `low`"));
        assert!(table.within("high").is_err());
    }

    #[test]
    fn people_are_counted() {
        let person = |group: &str, eligible, impressions, clicks| PersonDelivery {
            campaign: "x".into(),
            group: group.into(),
            eligible,
            impressions,
            clicks,
            spend: impressions / 2.0,
            ..PersonDelivery::default()
        };
        let people = [person("f", true, 4.0, 1.0), person("f", true, 0.0, 0.0), person("m", false, 0.0, 0.0)];
        let table = DeliveryTable::from_people(&people).unwrap();
        let f = &table.groups(None)[0];
        assert_eq!((f.audience, f.eligible, f.reached, f.impressions), (Some(2.0), 2.0, Some(1.0), 4.0));
        assert_eq!((f.clicks, f.spend), (Some(1.0), Some(2.0)));
        let wrong = DeliveryTable::from_people(&[person("f", true, 1.0, 0.0), person("m", false, 1.0, 0.0)]);
        assert!(wrong.unwrap_err().to_string().contains("row 2"));
        assert!(DeliveryTable::from_people(&[person("f", true, f64::NAN, 0.0)]).is_err());
        assert!(DeliveryTable::from_people(&[]).is_err());
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let message = |rows| DeliveryTable::new(rows).unwrap_err().to_string();
        assert!(message(vec![]).contains("no rows"));
        assert!(message(vec![row("x", "f")]).contains("groups of campaign `x` is 1"));
        assert!(message(vec![row("x", "f"), row("x", "f")]).contains("`x, f` in row 2"));
        assert!(message(vec![DeliveryRow { reached: Some(21.0), ..row("x", "f") }]).contains("than impressions"));
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let found = message(vec![row("x", "f"), DeliveryRow { impressions: bad, ..row("x", "m") }]);
            assert!(found.contains("`impressions`") && found.contains("row 2"), "{found}");
        }
        assert!(message(vec![DeliveryRow { reached: Some(101.0), ..row("x", "f") }]).contains("than are eligible"));
        let mixed = DeliveryRow { stratum: Some("a".into()), ..row("x", "m") };
        assert!(message(vec![row("x", "f"), mixed]).contains("1 of 2"));
    }

    #[test]
    fn pairs_take_people_where_known() {
        let table = DeliveryTable::new(vec![row("x", "f"), row("x", "m"), row("y", "f"), row("y", "m")]).unwrap();
        assert_eq!(table.pair("x", "y", "f").unwrap().first, AdSide { group: 10.0, all: 20.0, share_noise: 0.0 });
        assert!(table.pair("x", "z", "f").is_err() && table.pair("x", "y", "g").is_err());
    }
}
