//! What an audit of delivery found, and its forms for people and programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contrast::{ReachComparison, compare_reach, conditional_of_rows};
use super::lookalike::{self, Lookalike};
use super::paired::{PairedTest, paired_tests};
use super::skew::{reach, skews};
use super::table::{DeliveryRow, DeliveryTable, GroupDelivery};
use super::variance::{DeliveryVariance, VARIANCE_LIMIT, adjust_variances, delivery_variance, variance_coverage};
use crate::error::{Error, Result};
use crate::metrics::{Estimate, Support, Tested, Undefined};
use crate::report::json::written;
use crate::report::words::{self, Unit};

/// The version of the report's JSON.
const SCHEMA_VERSION: u32 = 1;
/// The chance under which a finding is told as shown.
const ALPHA: f64 = 0.05;

/// What an audit of delivery found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// The version of this structure.
    pub schema_version: u32,
    /// The version of evenhand that made it.
    pub version: String,
    /// The level of the intervals.
    pub confidence: f64,
    /// The variance up to which a campaign is near enough.
    pub variance_limit: f64,
    /// What was found, in plain sentences.
    pub findings: Vec<String>,
    /// What to know when reading it.
    pub notes: Vec<String>,
    /// The share of campaigns within the limit.
    pub coverage: Estimate,
    /// The same after what chance alone shows is taken off.
    pub coverage_less_chance: Estimate,
    /// All campaigns together; a person eligible for two counts twice.
    pub overall: CampaignResult,
    /// Each campaign.
    pub campaigns: Vec<CampaignResult>,
    /// Pairs of like adverts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PairResult>,
}

/// The figures of one campaign, or of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignResult {
    /// The campaign.
    pub campaign: String,
    /// How far its delivery is from its eligible audience.
    pub variance: DeliveryVariance,
    /// Its groups' figures, by measure.
    pub groups: BTreeMap<String, BTreeMap<String, Estimate>>,
    /// Reach against the best-reached group.
    pub comparisons: Vec<ReachComparison>,
    /// The same within strata (of all campaigns: within each campaign's).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditional: Vec<ConditionalComparison>,
}

/// A group's reach against the best-reached group's, within strata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionalComparison {
    /// The group.
    pub group: String,
    /// The group with the highest reach rate before strata are looked at.
    pub best: String,
    /// The Mantel–Haenszel difference of reach rates.
    pub difference: Estimate,
    /// People who would have been reached besides, at the best's rates.
    pub lost: Estimate,
    /// The Cochran–Mantel–Haenszel test, times the number of pairs of groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
}

/// A group's share in one advert against its share in another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairResult {
    /// The group.
    pub group: String,
    /// The test; adjusted p-values are for all pairs and groups of the audit.
    pub test: PairedTest,
}

/// How to audit.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliverySettings {
    /// The level of the intervals, in (0, 1).
    pub confidence: f64,
    /// The variance up to which a campaign is near enough, in [0, 1].
    pub variance_limit: f64,
    /// Campaigns to test as pairs of like adverts.
    pub pairs: Vec<[String; 2]>,
}

impl Default for DeliverySettings {
    /// Level 0.95, the limit [`VARIANCE_LIMIT`], no pairs.
    fn default() -> Self {
        DeliverySettings { confidence: 0.95, variance_limit: VARIANCE_LIMIT, pairs: Vec::new() }
    }
}

impl DeliveryTable {
    /// Audits the table.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a level outside (0, 1) or a limit outside [0, 1]; [`Error::Unknown`] for a campaign of a
    /// pair that is not there, or has not the other's groups.
    pub fn audit(&self, settings: &DeliverySettings) -> Result<DeliveryReport> {
        let (level, limit) = (settings.confidence, settings.variance_limit);
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::setting("the confidence", level, "a number above 0 and below 1"));
        }
        if !(0.0..=1.0).contains(&limit) {
            return Err(Error::setting("the limit of the variance", limit, "a number from 0 to 1, such as 0.10"));
        }
        let mut variances: Vec<DeliveryVariance> =
            self.campaigns().iter().map(|c| delivery_variance(&self.groups(Some(c)), level)).collect();
        adjust_variances(&mut variances);
        let coverage = |less| variance_coverage(&variances, limit, less, level);
        let mut report = DeliveryReport {
            schema_version: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION").into(),
            confidence: level,
            variance_limit: limit,
            findings: Vec::new(),
            notes: notes(self),
            coverage: coverage(false),
            coverage_less_chance: coverage(true),
            overall: campaign(self, None, delivery_variance(&self.groups(None), level), level),
            campaigns: Vec::new(),
            pairs: Vec::new(),
        };
        let each = self.campaigns().iter().zip(variances);
        report.campaigns = each.map(|(c, v)| campaign(self, Some(c), v, level)).collect();
        report.pairs = self.paired(&settings.pairs, level)?;
        report.findings = findings(&report);
        Ok(report)
    }

    fn paired(&self, pairs: &[[String; 2]], level: f64) -> Result<Vec<PairResult>> {
        let (mut names, mut sides) = (Vec::new(), Vec::new());
        for [first, second] in pairs {
            let mut groups = self.groups(Some(first));
            if groups.is_empty() {
                return Err(Error::unknown("campaign", first, "", self.campaigns().iter().map(String::as_str)));
            }
            // Of two groups, the one's share says the other's.
            if groups.len() == 2 && self.groups(Some(second)).len() == 2 {
                groups.truncate(1);
            }
            for group in groups {
                sides.push(self.pair(first, second, &group.group)?);
                names.push(group.group);
            }
        }
        let tests = paired_tests(&sides, level);
        Ok(names.into_iter().zip(tests).map(|(group, test)| PairResult { group, test }).collect())
    }
}

fn campaign(table: &DeliveryTable, name: Option<&str>, variance: DeliveryVariance, level: f64) -> CampaignResult {
    let groups = table.groups(name);
    let rows: Vec<&DeliveryRow> = table.rows().iter().filter(|r| name.is_none_or(|n| r.campaign == n)).collect();
    let figures = |i: usize| {
        let (s, r) = (skews(&groups, i, level), reach(&groups[i], level));
        let mut all = vec![
            ("targeting_skew", s.targeting),
            ("delivery_skew", s.delivery),
            ("reached_skew", s.reach),
            ("whole_skew", s.whole),
            ("reach_rate", r.rate),
            ("cost_per_reached", r.cost),
            ("frequency", r.frequency),
            ("clicks_per_reached", r.clicks),
        ];
        if let Some(l) = expansion(&groups, i, level) {
            all.extend([
                ("lookalike_amplification", l.amplification.estimate),
                ("lookalike_seed_skew", l.seed.estimate),
                ("lookalike_skew", l.whole.estimate),
            ]);
        }
        all.into_iter().map(|(name, e)| (name.to_string(), e)).collect()
    };
    let comparisons = compare_reach(&groups, level);
    let stratified = rows.iter().any(|r| r.stratum.is_some()) || (name.is_none() && table.campaigns().len() > 1);
    let known = comparisons.len() + 1;
    let pairs = known * (known - 1) / 2;
    let conditional = comparisons.iter().filter(|_| stratified).map(|c| {
        let of = conditional_of_rows(&rows, &c.group, &c.best, crate::inference::sidak_level(level, pairs));
        ConditionalComparison {
            group: c.group.clone(),
            best: c.best.clone(),
            difference: of.difference.estimate,
            lost: of.lost,
            p_value: of.difference.p_value.map(|p| (p * pairs as f64).min(1.0)),
        }
    });
    CampaignResult {
        campaign: name.unwrap_or("all campaigns").into(),
        variance,
        conditional: conditional.collect(),
        groups: (0..groups.len()).map(|i| (groups[i].group.clone(), figures(i))).collect(),
        comparisons,
    }
}

/// A seed audience, where all groups' is known: the eligible are its expansion.
fn expansion(groups: &[GroupDelivery], i: usize, level: f64) -> Option<Lookalike> {
    let of = |count: fn(&GroupDelivery) -> Option<f64>| {
        let counts: Option<Vec<f64>> = groups.iter().map(count).collect();
        counts.and_then(|c| Some((*c.get(i)?, c.iter().sum::<f64>())))
    };
    let (seed, expanded) = (of(|g| g.seed)?, of(|g| Some(g.eligible))?);
    // Without an audience, what the seed brings is unknown.
    let audience = of(|g| g.audience);
    let own = groups.get(i)?.noise;
    let others = (groups.iter().map(|g| g.noise).sum::<f64>() - own).max(0.0);
    let mut found = lookalike::with_noise(audience.unwrap_or_default(), seed, expanded, [own, others], level);
    if audience.is_none() {
        let unknown = || Tested::untested(Estimate::undefined(Undefined::UndefinedPart, Support::default()));
        (found.seed, found.whole) = (unknown(), unknown());
    }
    Some(found)
}

fn notes(table: &DeliveryTable) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |when: bool, text: &str| {
        if when {
            notes.push(text.to_string());
        }
    };
    let rows = table.rows();
    note(
        rows.iter().any(|r| r.reached.is_none()),
        "People reached are not known everywhere: impressions of one person are then taken as independent, and \
         intervals are too short.",
    );
    note(rows.iter().any(|r| r.noise_sd > 0.0), "Counts carry noise, as stated; intervals and tests include it.");
    note(
        rows.iter().any(|r| r.stratum.is_some()),
        "Strata must be known before the campaign: interest measured by clicks on it is not.",
    );
    note(table.campaigns().len() > 1, "Over all campaigns, a person eligible for two counts twice.");
    note(
        true,
        "Equal shares can be had by reaching everybody less: look at reach and cost per person beside the variance.",
    );
    notes
}

fn findings(report: &DeliveryReport) -> Vec<String> {
    let mut said = Vec::new();
    let shown = |p: Option<f64>| p.is_some_and(|p| p < ALPHA);
    let named = |text: &str| words::name(text, 30);
    let all = &report.overall;
    for c in all.comparisons.iter().filter(|c| shown(c.p_value)) {
        let within = all.conditional.iter().find(|k| k.group == c.group);
        let then = match within {
            Some(k) if shown(k.p_value) => {
                format!("; within strata {} ({})", Unit::Points.estimate(&k.difference), chance(k.p_value))
            }
            Some(_) => "; within strata no difference is shown".into(),
            None => String::new(),
        };
        said.push(format!(
            "{} is reached less than {}: {} ({}){then}.",
            named(&c.group),
            named(&c.best),
            Unit::Points.estimate(&c.difference),
            chance(c.p_value)
        ));
    }
    for k in report.pairs.iter().filter(|k| shown(k.test.p_value_adjusted)) {
        said.push(format!(
            "The share of {} differs between the adverts {}: {} ({}).",
            named(&k.group),
            words::name(&k.test.name, 60),
            Unit::Points.estimate(&k.test.difference),
            chance(k.test.p_value_adjusted)
        ));
    }
    for k in all.conditional.iter().filter(|k| shown(k.p_value) && k.lost.low.is_some_and(|low| low > 0.0)) {
        said.push(format!(
            "At the rates of {} within the same strata, {} more of {} would have been reached.",
            named(&k.best),
            Unit::Plain.estimate(&k.lost),
            named(&k.group)
        ));
    }
    let far: Vec<String> = report
        .campaigns
        .iter()
        .filter(|c| shown(c.variance.p_value_adjusted))
        .map(|c| format!("{} ({})", named(&c.campaign), Unit::Percent.value(c.variance.variance.value.unwrap_or(0.0))))
        .collect();
    if !far.is_empty() {
        said.push(format!("Delivery differs from the eligible audience beyond chance in {}.", far.join(", ")));
    }
    if report.coverage.value.is_some() {
        said.push(format!(
            "Of the campaigns, {} have a variance of at most {}; less what chance alone shows, {}.",
            Unit::Percent.estimate(&report.coverage),
            Unit::Percent.value(report.variance_limit),
            Unit::Percent.estimate(&report.coverage_less_chance)
        ));
    }
    said
}

pub(super) fn chance(p: Option<f64>) -> String {
    p.map(words::chance).unwrap_or_default()
}

impl DeliveryReport {
    /// Every figure as a line of CSV: `campaign,group,against,measure,value,low,high,p_value,reason`.
    pub fn to_csv(&self) -> String {
        let mut out = csv::Writer::from_writer(Vec::new());
        // Memory refuses nothing, and what is written is made of strings.
        let _ =
            out.write_record(["campaign", "group", "against", "measure", "value", "low", "high", "p_value", "reason"]);
        let mut line = |place: [&str; 4], e: &Estimate, p: Option<f64>| {
            let number = |v: Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
            let reason = e.reason.map(|r| r.to_string()).unwrap_or_default();
            let figures = [number(e.value), number(e.low), number(e.high), number(p), reason];
            let _ = out.write_record(place.into_iter().chain(figures.iter().map(String::as_str)));
        };
        line(["", "", "", "variance_coverage"], &self.coverage, None);
        line(["", "", "", "variance_coverage_less_chance"], &self.coverage_less_chance, None);
        for k in &self.pairs {
            line([&k.test.name, &k.group, "", "paired_ad_difference"], &k.test.difference, k.test.p_value_adjusted);
        }
        for c in std::iter::once(&self.overall).chain(&self.campaigns) {
            let name = c.campaign.as_str();
            line([name, "", "eligible", "delivery_variance"], &c.variance.variance, c.variance.p_value);
            for (group, metrics) in &c.groups {
                metrics.iter().for_each(|(metric, e)| line([name, group, "", metric], e, None));
            }
            for k in &c.comparisons {
                line([name, &k.group, &k.best, "reach_rate_difference"], &k.difference, k.p_value);
                line([name, &k.group, &k.best, "reach_rate_ratio"], &k.ratio, k.p_value);
                line([name, &k.group, &k.best, "cost_ratio"], &k.cost_ratio, None);
            }
            for k in &c.conditional {
                line([name, &k.group, &k.best, "conditional_reach_difference"], &k.difference, k.p_value);
                line([name, &k.group, &k.best, "lost_opportunities"], &k.lost, None);
            }
        }
        String::from_utf8(out.into_inner().unwrap_or_default()).unwrap_or_default()
    }

    /// The report as JSON, indented, with a newline at its end.
    ///
    /// # Errors
    /// [`Error::BadReport`], which no report that came from an audit gives.
    pub fn to_json(&self) -> Result<String> {
        written(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Campaign, group, stratum; audience, eligible, reached, impressions, clicks, spend.
    type Line = (&'static str, &'static str, Option<&'static str>, [f64; 6]);
    const LINES: [Line; 6] = [
        ("jobs", "women", Some("low"), [6000.0, 4000.0, 400.0, 900.0, 20.0, 40.0]),
        ("jobs", "women", Some("high"), [4000.0, 2000.0, 500.0, 1200.0, 60.0, 60.0]),
        ("jobs", "men", Some("low"), [6000.0, 4000.0, 800.0, 2000.0, 40.0, 70.0]),
        ("jobs", "men", Some("high"), [4000.0, 3000.0, 1200.0, 2900.0, 150.0, 120.0]),
        ("flats", "women", None, [10000.0, 5000.0, 1000.0, 2000.0, 50.0, 90.0]),
        ("flats", "men", None, [10000.0, 5000.0, 1010.0, 2020.0, 50.0, 90.0]),
    ];

    fn table() -> DeliveryTable {
        let row = |&(campaign, group, stratum, [audience, eligible, reached, impressions, clicks, spend]): &Line| {
            DeliveryRow {
                campaign: campaign.into(),
                group: group.into(),
                stratum: stratum.map(String::from),
                audience: Some(audience),
                seed: Some(if group == "men" { 300.0 } else { 100.0 }),
                eligible,
                reached: Some(reached),
                impressions,
                clicks: Some(clicks),
                spend: Some(spend),
                noise_sd: 0.0,
            }
        };
        DeliveryTable::new(LINES.iter().map(row).collect()).unwrap()
    }

    fn settings() -> DeliverySettings {
        DeliverySettings { pairs: vec![["jobs".into(), "flats".into()]], ..DeliverySettings::default() }
    }

    #[test]
    fn the_report_tells_the_skew_and_keeps_its_width() {
        let report = table().audit(&settings()).unwrap();
        let text = report.to_text();
        assert!(text.lines().all(|l| words::width(l) <= 80), "{text}");
        let said = report.findings.join("\n");
        assert!(said.contains("women is reached less than men") && said.contains("beyond chance in jobs"), "{said}");
        assert!(said.contains("The share of women differs between the adverts jobs / flats"), "{said}");
        assert_eq!(report.coverage.value, Some(0.5));
        // Jobs: women would gain 4000 (.2 - .1) + 2000 (.4 - .25) at men's rates, flats 10.
        assert!((report.overall.conditional[0].lost.value.unwrap() - 710.0).abs() < 1e-9);
        // Cost: women 100 / 900, men 190 / 2000.
        let jobs = &report.campaigns[0];
        assert!((jobs.comparisons[0].cost_ratio.value.unwrap() - 100.0 / 900.0 / 0.095).abs() < 1e-12);
        // Eligible 6/7, seed 1/3, audience 1/1.
        let of = |name: &str| jobs.groups["women"][name].value.unwrap();
        assert!((of("lookalike_amplification") - (18f64 / 7.0).ln()).abs() < 1e-12);
        assert!((of("lookalike_skew") - (6f64 / 7.0).ln()).abs() < 1e-12);
        assert_eq!(report.pairs.len(), 1);
        assert!((report.pairs[0].test.difference.value.unwrap() - (900.0 / 2900.0 - 1000.0 / 2010.0)).abs() < 1e-12);
        let back: DeliveryReport = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        assert_eq!(back, report);
        let csv = report.to_csv();
        // Coverage twice and the pair; of each of three the variance, two groups of eleven, three comparisons; two with
        // strata, of two lines.
        assert_eq!(csv.lines().count(), 1 + 3 + 3 * (1 + 22 + 3) + 4);
        assert!(csv.lines().all(|l| !l.contains("NaN") && !l.contains("inf")));
        let markdown = report.to_markdown();
        assert!(markdown.contains("| jobs | women |  | reach_rate |"), "{markdown}");
    }

    #[test]
    fn every_measure_reported_is_in_the_catalog_and_within_its_range() {
        let report = table().audit(&settings()).unwrap();
        let known = |name: &str| super::super::MEASURES.iter().find(|m| m.name == name);
        let text = report.to_csv();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let mut found = 0;
        for record in reader.records() {
            let record = record.unwrap();
            // Comparisons of a measure are named after it.
            let name = record[3].trim_end_matches("_rate_difference").trim_end_matches("_rate_ratio");
            if name == "reach" {
                continue;
            }
            let entry = known(&record[3]).unwrap_or_else(|| panic!("{record:?}"));
            for field in 4..7 {
                let Ok(v) = record[field].parse::<f64>() else { continue };
                assert!(entry.least.is_none_or(|l| v >= l) && entry.most.is_none_or(|m| v <= m), "{record:?}");
                found += 1;
            }
        }
        assert!(found > 100, "{found}");
    }

    #[test]
    fn settings_are_checked_and_gaps_survive() {
        let row = |group: &str| DeliveryRow {
            campaign: "x".into(),
            group: group.into(),
            noise_sd: 2.0,
            ..DeliveryRow::default()
        };
        let table = DeliveryTable::new(vec![row("a"), row("b")]).unwrap();
        let usual = DeliverySettings::default;
        assert!(table.audit(&DeliverySettings { confidence: 1.0, ..usual() }).is_err());
        assert!(table.audit(&DeliverySettings { variance_limit: f64::NAN, ..usual() }).is_err());
        assert!(table.audit(&settings()).unwrap_err().to_string().contains("`jobs`"));
        let report = table.audit(&usual()).unwrap();
        assert!(report.findings.is_empty() && report.coverage.value.is_none());
        assert!(report.to_text().contains("no rows"));
    }
}
