//! A delivery table read from a file.

use std::path::Path;

use super::table::{DeliveryRow, DeliveryTable, NUMBER, PersonDelivery};
use crate::data::Binary;
use crate::data::source::{Source, Texts};
use crate::error::{Error, Place, Result};

/// The parts that the columns of a file play in an audit of delivery.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeliveryColumns {
    /// The campaign or advert.
    pub campaign: String,
    /// The group of people.
    pub group: String,
    /// A legitimate reason to differ.
    pub stratum: Option<String>,
    /// People in the market.
    pub audience: Option<String>,
    /// People of the seed audience.
    pub seed: Option<String>,
    /// People eligible; where rows are people, whether the person is.
    pub eligible: String,
    /// People reached.
    pub reached: Option<String>,
    /// Times shown.
    pub impressions: String,
    /// Clicks.
    pub clicks: Option<String>,
    /// Money spent.
    pub spend: Option<String>,
    /// The standard deviation of noise in each count, of the row.
    pub noise: Option<String>,
    /// The standard deviation of noise in each count, of all rows; what the column says is added to it.
    pub noise_sd: f64,
    /// The multiple to which counts are rounded; 0 for none.
    pub rounded: f64,
    /// Whether rows are people, to be counted.
    pub people: bool,
}

impl DeliveryTable {
    /// Reads a file of any kind that [`Source`] reads. Empty text and `NA`, `NaN`, `null` are unknown, which campaign,
    /// group, eligible and impressions must not be.
    ///
    /// # Errors
    /// Those of [`Source::sample`], [`Error::MissingColumn`] with the nearest name, [`Error::BadNumber`] with column, row
    /// and file, [`Error::Nothing`] without rows, [`Error::BadSetting`] for noise or rounding that is not a finite number
    /// of 0 or more, and those of [`new`](Self::new) and [`from_people`](Self::from_people).
    ///
    /// # Examples
    /// ```
    /// use evenhand::data::source::Source;
    /// use evenhand::metrics::delivery::{DeliveryColumns, DeliveryTable};
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("delivery.csv");
    /// std::fs::write(&path, "ad,sex,could,saw,shown\njobs,f,100,20,30\njobs,m,100,30,60\n")?;
    /// let columns = DeliveryColumns {
    ///     campaign: "ad".into(),
    ///     group: "sex".into(),
    ///     eligible: "could".into(),
    ///     reached: Some("saw".into()),
    ///     impressions: "shown".into(),
    ///     ..DeliveryColumns::default()
    /// };
    /// let table = DeliveryTable::read(&path, &Source::open(&[&path])?, &columns)?;
    /// assert_eq!(table.groups(None)[1].impressions, 60.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(path: &Path, source: &Source, columns: &DeliveryColumns) -> Result<Self> {
        for (what, value) in [("the noise", columns.noise_sd), ("the multiple of rounding", columns.rounded)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::setting(what, value, NUMBER));
            }
        }
        let texts = Texts::read(path, source)?;
        let table = if columns.people { texts.people(columns)? } else { texts.rows(columns)? };
        table.map_err(|e| columns.named(e, path))
    }
}

impl DeliveryColumns {
    /// A slip in the words of the file: its own names of columns, and its path.
    fn named(&self, error: Error, path: &Path) -> Error {
        let Error::BadNumber { column, value, place, expected } = error else { return error };
        let own = match column.as_str() {
            "group" => Some(&self.group),
            "eligible" => Some(&self.eligible),
            "impressions" => Some(&self.impressions),
            "reached" => self.reached.as_ref(),
            "clicks" => self.clicks.as_ref(),
            "spend" => self.spend.as_ref(),
            "audience" => self.audience.as_ref(),
            "seed" => self.seed.as_ref(),
            _ => None,
        };
        let column = own.cloned().unwrap_or(column);
        Error::BadNumber { column, value, place: Place { file: Some(path.into()), ..place }, expected }
    }
}

impl Texts<'_> {
    fn named(&self, name: &str) -> Result<Vec<String>> {
        let one = |(row, text): (usize, &String)| match self.is_missing(text) {
            true => Err(self.bad(name, row, text, "a name in every row: leave the row out, or give it one")),
            false => Ok(text.clone()),
        };
        self.column(name)?.iter().enumerate().map(one).collect()
    }

    fn labels(&self, name: &Option<String>) -> Result<Vec<Option<String>>> {
        let Some(name) = name else { return Ok(Vec::new()) };
        Ok(self.column(name)?.iter().map(|v| Some(v.clone()).filter(|v| !self.is_missing(v))).collect())
    }

    fn counts(&self, name: &str) -> Result<Vec<Option<f64>>> {
        let number = |(row, text): (usize, &String)| match text.parse::<f64>() {
            _ if self.is_missing(text) => Ok(None),
            Ok(value) if value.is_finite() && value >= 0.0 => Ok(Some(value)),
            _ => Err(self.bad(name, row, text, NUMBER)),
        };
        self.column(name)?.iter().enumerate().map(number).collect()
    }

    fn maybe(&self, name: &Option<String>) -> Result<Vec<Option<f64>>> {
        name.as_ref().map_or(Ok(Vec::new()), |n| self.counts(n))
    }

    fn needed(&self, name: &str) -> Result<Vec<f64>> {
        let all = self.counts(name)?.into_iter().zip(self.column(name)?).enumerate();
        all.map(|(row, (v, text))| v.ok_or_else(|| self.bad(name, row, text, NUMBER))).collect()
    }

    fn rows(&self, columns: &DeliveryColumns) -> Result<Result<DeliveryTable>> {
        let (campaign, group) = (self.named(&columns.campaign)?, self.named(&columns.group)?);
        let (eligible, impressions) = (self.needed(&columns.eligible)?, self.needed(&columns.impressions)?);
        let stratum = self.labels(&columns.stratum)?;
        let [audience, seed, reached] = [&columns.audience, &columns.seed, &columns.reached].map(|c| self.maybe(c));
        let [clicks, spend, noise] = [&columns.clicks, &columns.spend, &columns.noise].map(|c| self.maybe(c));
        let (audience, seed, reached, clicks, spend, noise) = (audience?, seed?, reached?, clicks?, spend?, noise?);
        let at = |of: &[Option<f64>], i: usize| of.get(i).copied().flatten();
        // An error of at most N/2 in every count moves a share of two groups by at most N/2 over the total; noise of
        // variance N²/2 has at least that standard deviation.
        let of_all = columns.noise_sd * columns.noise_sd + columns.rounded * columns.rounded / 2.0;
        let row = |i: usize| DeliveryRow {
            campaign: campaign[i].clone(),
            group: group[i].clone(),
            stratum: stratum.get(i).cloned().flatten(),
            audience: at(&audience, i),
            seed: at(&seed, i),
            eligible: eligible[i],
            reached: at(&reached, i),
            impressions: impressions[i],
            clicks: at(&clicks, i),
            spend: at(&spend, i),
            noise_sd: (of_all + at(&noise, i).map_or(0.0, |v| v * v)).sqrt(),
        };
        Ok(DeliveryTable::new((0..campaign.len()).map(row).collect()))
    }

    fn people(&self, columns: &DeliveryColumns) -> Result<Result<DeliveryTable>> {
        let (campaign, group) = (self.named(&columns.campaign)?, self.named(&columns.group)?);
        let eligible = Binary::from_text(&columns.eligible, self.column(&columns.eligible)?, &[])?;
        let impressions = self.needed(&columns.impressions)?;
        let stratum = self.labels(&columns.stratum)?;
        let (clicks, spend) = (self.maybe(&columns.clicks)?, self.maybe(&columns.spend)?);
        let at = |of: &[Option<f64>], i: usize| of.get(i).copied().flatten().unwrap_or(0.0);
        let person = |i: usize| PersonDelivery {
            campaign: campaign[i].clone(),
            group: group[i].clone(),
            stratum: stratum.get(i).cloned().flatten(),
            eligible: eligible.codes().get(i) == Some(&1),
            impressions: impressions[i],
            clicks: at(&clicks, i),
            spend: at(&spend, i),
        };
        Ok(DeliveryTable::from_people(&(0..campaign.len()).map(person).collect::<Vec<_>>()))
    }
}
