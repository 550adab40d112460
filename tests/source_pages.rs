//! Parquet by its pages against the same rows as text: dictionaries that change from row group to row group, few and many
//! levels, filters, and rows kept whole.
#![cfg(all(feature = "parquet", feature = "csv"))]

mod source_support;

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::*;
use evenhand::data::source::{Rows, Source};
use evenhand::data::{Batch, Columns};
use evenhand::tally::{Limits, Tally};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use source_support::Files;

/// Rows of texts, an empty one where there is no value.
struct Table {
    region: Vec<String>,
    sex: Vec<String>,
    age: Vec<String>,
    paid: Vec<String>,
    offer: Vec<String>,
}

impl Table {
    /// Regions come by and by: those of later rows are others.
    fn new(rows: usize, regions: usize, draw: &mut Xoshiro256PlusPlus) -> Self {
        let mut column = |of: &dyn Fn(usize, &mut Xoshiro256PlusPlus) -> String| {
            (0..rows).map(|row| if draw.gen_range(0..9) == 0 { String::new() } else { of(row, draw) }).collect()
        };
        Table {
            region: column(&|row, draw| format!("r{}", row * regions / rows + draw.gen_range(0..3))),
            sex: column(&|_, draw| ["f", "m", "x"][draw.gen_range(0..3)].into()),
            age: column(&|_, draw| (draw.gen_range(0..60) + 18).to_string()),
            paid: column(&|_, draw| ["true", "false"][draw.gen_range(0..2)].into()),
            offer: column(&|_, draw| draw.gen_range(0..2).to_string()),
        }
    }

    fn text(&self) -> String {
        let mut text = String::from("region,sex,age,paid,offer\n");
        for at in 0..self.sex.len() {
            let of = [&self.region, &self.sex, &self.age, &self.paid, &self.offer].map(|column| &column[at]);
            let [region, sex, age, paid, offer] = of;
            writeln!(text, "{region},{sex},{age},{paid},{offer}").unwrap();
        }
        text
    }

    fn parquet(&self, properties: WriterProperties) -> Vec<u8> {
        fn some<T: std::str::FromStr>(texts: &[String]) -> impl Iterator<Item = Option<T>> {
            texts.iter().map(|text| text.parse().ok().filter(|_| !text.is_empty()))
        }
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("region", Arc::new(some::<String>(&self.region).collect::<StringArray>())),
            ("sex", Arc::new(some::<String>(&self.sex).collect::<StringArray>())),
            ("age", Arc::new(some::<i64>(&self.age).collect::<Int64Array>())),
            ("paid", Arc::new(some::<bool>(&self.paid).collect::<BooleanArray>())),
            ("offer", Arc::new(some::<i32>(&self.offer).collect::<Int32Array>())),
        ];
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes
    }
}

/// What rows hold, with the names of levels.
fn shown(rows: &Rows) -> Vec<String> {
    let batch: Batch = rows.batch().unwrap();
    let column = |at: usize, row: usize| {
        let column = &batch.attributes()[at];
        column.codes().get(row).map(|code| column.levels()[code].clone())
    };
    (0..batch.rows()).map(|row| format!("{:?}", [0, 1, 2].map(|at| column(at, row)))).collect()
}

#[test]
fn pages_and_text_count_the_same() {
    let mut draw = Xoshiro256PlusPlus::seed_from_u64(88_172_645_463_325_252);
    let files = Files::new();
    for case in 0..24 {
        let regions = [3, 200, 250, 254, 300, 1500][case % 6];
        let table = Table::new(1500 + draw.gen_range(0..1500), regions, &mut draw);
        let text = files.put("in.csv", table.text());
        let properties = WriterProperties::builder()
            .set_writer_version([WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0][draw.gen_range(0..2)])
            .set_compression([Compression::UNCOMPRESSED, Compression::SNAPPY][draw.gen_range(0..2)])
            .set_max_row_group_row_count(Some([97, 600, 1 << 20][draw.gen_range(0..3)]))
            .set_data_page_row_count_limit([50, 20_000][draw.gen_range(0..2)])
            // Some dictionaries fill up within a row group.
            .set_dictionary_page_size_limit([300, 1 << 20][draw.gen_range(0..2)])
            .set_write_batch_size(50)
            .build();
        let pages = files.put("in.parquet", table.parquet(properties));
        let asked = Columns::new().attribute("region".parse().unwrap()).attribute("sex".parse().unwrap());
        let ages = if draw.gen_range(0..2) == 0 { "age" } else { "age:<=30,31-50,>=51" };
        let asked = asked.attribute(ages.parse().unwrap());
        let asked = asked.label("paid").decision("offer");
        let filter = ["", "sex = 'f'", "age >= 40 and region != 'r1'", "paid is not missing", "region is missing"];
        let asked = match filter[draw.gen_range(0..5)] {
            "" => asked,
            filter => asked.filter(filter.parse().unwrap()),
        };
        let chunk = [64, 1000, 1 << 16][draw.gen_range(0..3)];
        let source = |path| Source::open(&[path]).unwrap().chunk_rows(chunk).threads(Some(1 + case % 3));
        let tally = |path| -> Tally { source(path).tally(&asked, &[], Limits::default()).unwrap().tally };
        assert_eq!(tally(&pages), tally(&text), "case {case}: {asked:?}");
        assert_eq!(shown(&source(&pages).rows(&asked).unwrap()), shown(&source(&text).rows(&asked).unwrap()));
    }
}
