//! Results that are in print, from the counts that are in print with them.

mod small;

use evenhand::audit::{Comparison::Difference, Comparison::Ratio, Comparison::Value, Policy};
use evenhand::data::{Batch, Binary, Categorical};
use evenhand::inference::hypothesis::chi_square_homogeneity;
use evenhand::report::Report;
use flate2::read::GzDecoder;

use small::{People, Rows, against, close, difference, disparity, group, groups, near, overall, plan, ratio};

/// The columns of a bundled table.
struct Table(Vec<String>, Vec<csv::StringRecord>);

impl Table {
    fn open(name: &str) -> Self {
        let path = format!("{}/datasets/{name}", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::File::open(&path).unwrap();
        let read: Box<dyn std::io::Read> =
            if path.ends_with("gz") { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
        let mut reader = csv::Reader::from_reader(read);
        let names = reader.headers().unwrap().iter().map(String::from).collect();
        Table(names, reader.records().map(Result::unwrap).collect())
    }

    fn at(&self, name: &str) -> usize {
        self.0.iter().position(|n| n == name).unwrap()
    }

    fn column(&self, name: &str) -> impl Iterator<Item = &str> {
        let at = self.at(name);
        self.1.iter().map(move |row| &row[at])
    }
}

fn percent(figure: small::Figure, expected: f64, tolerance: f64) {
    near(figure.map(|v| 100.0 * v), expected, tolerance);
}

/// Angwin, Larson, Mattu, Kirchner 2016: who was rated medium or high risk, and who was arrested again.
#[test]
fn propublica_compas() {
    // Everybody: tn 2681, fp 1282, fn 1216, tp 2035.
    let rows = Rows::of_confusions(&[
        ("African-American", [1369, 805, 532, 990]),
        ("Caucasian", [505, 349, 461, 1139]),
        ("all others", [2035 - 1369 - 505, 1282 - 805 - 349, 1216 - 532 - 461, 2681 - 990 - 1139]),
    ]);
    let report = plan().run(&rows.batch()).unwrap();
    assert_eq!(report.data.rows, 7214);
    for (metric, all, african_american, caucasian) in
        [("false_positive_rate", 32.35, 44.85, 23.45), ("false_negative_rate", 37.40, 27.99, 47.72)]
    {
        percent(overall(&report, metric), all, 0.005);
        percent(group(&report, metric, "African-American"), african_american, 0.005);
        percent(group(&report, metric, "Caucasian"), caucasian, 0.005);
    }
    for (metric, all, african_american, caucasian) in
        [("precision", 0.61, 0.63, 0.59), ("negative_predictive_value", 0.69, 0.65, 0.71)]
    {
        near(overall(&report, metric), all, 0.005);
        near(group(&report, metric, "African-American"), african_american, 0.005);
        near(group(&report, metric, "Caucasian"), caucasian, 0.005);
    }
}

/// Bickel, Hammel, O'Connell 1975: admitted to the graduate school of Berkeley, the six largest departments.
fn berkeley() -> Report {
    let table = Table::open("ucb_admissions.csv");
    let [admitted, sex, department, weight] = ["admitted", "sex", "department", "weight"].map(|n| table.at(n));
    let people = |row: &csv::StringRecord| {
        let (sex, department) = (row[sex].to_string(), row[department].to_string());
        (sex, department, u8::from(&row[admitted] == "yes"), row[weight].parse::<usize>().unwrap())
    };
    let cells: Vec<_> = table.1.iter().map(people).collect();
    let rows = Rows::of(
        &cells
            .iter()
            .map(|(group, stratum, decision, count)| People {
                group,
                stratum,
                label: 0,
                decision: *decision,
                count: *count,
            })
            .collect::<Vec<_>>(),
    );
    plan().reference("group", "Male").run(&rows.stratified("department")).unwrap()
}

#[test]
fn berkeley_favours_men_as_a_whole() {
    let report = berkeley();
    assert_eq!(report.data.rows, 4526);
    near(group(&report, "selection_rate", "Male"), 0.4452, 5e-5);
    near(group(&report, "selection_rate", "Female"), 0.3035, 5e-5);
    let admitted = |g| group(&report, "selection_rate", g).unwrap();
    assert_eq!((admitted("Male"), admitted("Female")), (1198.0 / 2691.0, 557.0 / 1835.0));
    // Pearson's chi-square without correction, 92.205, is the square of our z.
    let pooled = chi_square_homogeneity(&[(1198.0, 2691.0), (557.0, 1835.0)]).unwrap();
    assert!((pooled.statistic - 92.205).abs() < 0.005, "{}", pooled.statistic);
    let p = disparity(&report, "selection_rate", "Female", Difference, "Male").p_value.unwrap();
    assert!((p / pooled.p_value - 1.0).abs() < 1e-9);
}

#[test]
fn berkeley_favours_women_in_most_departments() {
    let report = berkeley();
    let table = report.models[0].table("group").unwrap();
    let rate = |sex: &str, department: &str| {
        let found = table.groups.iter().find(|g| g.group == sex).unwrap();
        found.strata[department]["selection_rate"].value()
    };
    let mut favour_women = 0;
    for (department, men, women) in
        [("A", 62.0, 82.0), ("B", 63.0, 68.0), ("C", 37.0, 34.0), ("D", 33.0, 35.0), ("E", 28.0, 24.0), ("F", 6.0, 7.0)]
    {
        percent(rate("Male", department), men, 0.5);
        percent(rate("Female", department), women, 0.5);
        favour_women += usize::from(rate("Female", department).unwrap() > rate("Male", department).unwrap());
    }
    assert_eq!(favour_women, 4);
}

#[test]
fn berkeley_is_near_parity_within_departments() {
    let report = berkeley();
    let found = disparity(&report, "conditional_demographic_parity", "Female", Difference, "Male");
    let (low, high) = found.estimate.interval().unwrap();
    assert!(found.estimate.value().unwrap().abs() < 0.02 && low < 0.0 && high > 0.0, "{:?}", found.estimate);
    // R's mantelhaen.test(UCBAdmissions, correct = FALSE): X-squared = 1.5246, p-value = 0.2169. With its continuity
    // correction, which we leave out, 1.4269 and 0.2323.
    near(Ok(found.p_value.unwrap()), 0.2169, 5e-5);
    let crude = against(&report, "demographic_parity", "Female", Difference, "Male").unwrap();
    assert!(crude < -0.14, "{crude}");
}

/// Ricci v. DeStefano, 557 U.S. 557 (2009): who passed the examinations.
#[test]
fn ricci_and_the_four_fifths_rule() {
    let captains = Rows::of_rates(&[("white", 16, 25), ("black", 3, 8), ("hispanic", 3, 8)]);
    let lieutenants = Rows::of_rates(&[("white", 25, 43), ("black", 6, 19), ("hispanic", 3, 15)]);
    for (rows, rates, black, hispanic) in
        [(captains, [64.0, 37.5, 37.5], 0.59, 0.59), (lieutenants, [58.1, 31.6, 20.0], 0.54, 0.34)]
    {
        let report = plan().reference("group", "white").run(&rows.decisions()).unwrap();
        for (name, rate) in ["white", "black", "hispanic"].iter().zip(rates) {
            percent(group(&report, "selection_rate", name), rate, 0.05);
        }
        near(against(&report, "disparate_impact", "black", Ratio, "white"), black, 0.005);
        near(against(&report, "disparate_impact", "hispanic", Ratio, "white"), hispanic, 0.005);
        near(ratio(&report, "disparate_impact"), black.min(hispanic), 0.005);
    }
}

/// Bertrand and Mullainathan 2004, table 1: resumes with white- and black-sounding names, and who called back.
#[test]
fn bertrand_and_mullainathan_callbacks() {
    let table = Table::open("resume_names.csv.gz");
    let callback: Vec<&str> = table.column("callback").collect();
    let batch = Batch::builder()
        .attribute(groups("ethnicity", table.column("ethnicity")))
        .attribute(groups("city", table.column("city")))
        .attribute(groups("gender", table.column("gender")))
        .decision(Binary::from_text("callback", callback, &[]).unwrap())
        .build()
        .unwrap();
    let report = plan().run(&batch).unwrap();
    assert_eq!(report.data.rows, 4870);
    for (name, expected) in [("white", 9.65), ("black", 6.45)] {
        percent(group(&report, "selection_rate", name), expected, 0.005);
    }
    let rate = report.metric("selection_rate").unwrap();
    for (city, white, black) in [("chicago", 8.06, 5.40), ("boston", 11.63, 7.76)] {
        percent(rate.group(&format!("white & {city}")).unwrap().value(), white, 0.005);
        percent(rate.group(&format!("black & {city}")).unwrap().value(), black, 0.005);
    }
    for (gender, white, black) in [("female", 9.89, 6.63), ("male", 8.87, 5.83)] {
        percent(rate.group(&format!("white & {gender}")).unwrap().value(), white, 0.005);
        percent(rate.group(&format!("black & {gender}")).unwrap().value(), black, 0.005);
    }
    near(rate.ratio("ethnicity").unwrap().estimate.value().map(|r| 1.0 / r), 1.5, 0.005);
    // In print: a difference of 3.20 percentage points with p = 0.0000.
    let gap = rate.difference("ethnicity").unwrap();
    near(gap.estimate.value(), 0.0320, 5e-5);
    assert!(gap.p_value.unwrap() < 5e-5);
}

/// Munnell et al. 1996 in Stock and Watson: denied a mortgage in Boston.
#[test]
fn boston_mortgages() {
    let rows = Rows::of_rates(&[("black", 96, 339), ("white", 189, 2041)]);
    let report = plan().run(&rows.decisions()).unwrap();
    percent(group(&report, "selection_rate", "black"), 28.3, 0.05);
    percent(group(&report, "selection_rate", "white"), 9.3, 0.05);
}

/// Van der Lee and Ellemers 2015: personal grants of the Dutch research council.
#[test]
fn dutch_research_grants() {
    let rows = Rows::of_rates(&[("men", 290, 1635), ("women", 177, 1188)]);
    let report = plan().run(&rows.decisions()).unwrap();
    percent(group(&report, "selection_rate", "men"), 17.7, 0.05);
    percent(group(&report, "selection_rate", "women"), 14.9, 0.05);
    // In print, with Yates' correction, p = 0.0509. Without it, as here, chi-square is 4.01 and p just below 0.05.
    let p = report.metric("selection_rate").unwrap().difference("group").unwrap().p_value.unwrap();
    assert!(p > 0.04 && p < 0.0509, "{p}");
}

/// AIF360's tutorial on credit scoring and what is often quoted of it: all 1,000 rows of German credit.
#[test]
fn german_credit_by_age() {
    let table = Table::open("german_credit.csv.gz");
    let ages: Vec<f64> = table.column("age").map(|a| a.parse().unwrap()).collect();
    let good: Vec<&str> = table.column("credit").collect();
    for (bands, young, n, parity, impact) in
        [("<=25,>25", "<=25", 190, -0.149448, 0.794826), ("<25,>=25", "<25", 149, -0.128550, 0.821248)]
    {
        let batch = Batch::builder()
            .attribute(Categorical::from_numbers("group", &ages, &bands.parse().unwrap()).unwrap())
            .label(Binary::from_text("credit", &good, &["good"]).unwrap())
            .build()
            .unwrap();
        let report = plan().run(&batch).unwrap();
        let old = report.models[0].tables[0].reference.clone().unwrap();
        assert_eq!(report.models[0].tables[0].groups.iter().find(|g| g.group == young).unwrap().rows, n);
        near(against(&report, "base_rate", young, Difference, &old), parity, 1e-6);
        near(against(&report, "base_rate", young, Ratio, &old), impact, 1e-6);
    }
}

/// Kamiran and Calders 2012 and the notes that come with UCI's Adult.
#[test]
fn adult_base_rates() {
    let table = Table::open("adult.csv.gz");
    let [workclass, occupation, country] = ["workclass", "occupation", "native_country"].map(|n| table.at(n));
    let complete: Vec<bool> =
        table.1.iter().map(|r| [workclass, occupation, country].iter().all(|c| !r[*c].is_empty())).collect();
    let income: Vec<&str> = table.column("income").collect();
    let batch = Batch::builder()
        .attribute(groups("group", table.column("sex")))
        .attribute(groups("complete", complete.iter().map(|c| if *c { "yes" } else { "no" })))
        .label(Binary::from_text("income", &income, &[">50K"]).unwrap())
        .build()
        .unwrap();
    let report = plan().run(&batch).unwrap();
    let rows =
        |table: usize, name: &str| report.models[0].tables[table].groups.iter().find(|g| g.group == name).unwrap().rows;
    assert_eq!((rows(0, "Male"), rows(0, "Female"), rows(1, "yes")), (32_650, 16_192, 45_222));
    near(difference(&report, "base_rate"), 0.1945, 5e-5);
    percent(overall(&report, "base_rate"), 23.93, 0.005);
    percent(group(&report, "base_rate", "yes"), 24.78, 0.005);
}

/// fairlearn's user guide, performing a fairness assessment.
#[test]
fn fairlearn_user_guide() {
    let batch = Batch::builder()
        .attribute(groups("group", "bbabbcccaacabccbcc".chars().map(String::from)))
        .label([0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1])
        .decision([0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]);
    let report = plan().run(&batch.build().unwrap()).unwrap();
    for (metric, all, a, b, c) in [
        ("true_positive_rate", 0.5, 0.5, 0.6, 0.4),
        ("false_positive_rate", 0.666667, 1.0, 0.0, 0.666667),
        ("selection_rate", 0.555556, 0.75, 0.5, 0.5),
    ] {
        near(overall(&report, metric), all, 1e-6);
        for (name, expected) in [("a", a), ("b", b), ("c", c)] {
            near(group(&report, metric, name), expected, 1e-6);
        }
    }
    let worst = |metric, comparison| {
        let each = ["a", "b", "c"].map(|g| against(&report, metric, g, comparison, "overall").unwrap());
        match comparison {
            Difference | Value => each.into_iter().map(f64::abs).fold(0.0, f64::max),
            Ratio => each.into_iter().map(|r| r.min(1.0 / r)).fold(1.0, f64::min),
        }
    };
    near(Ok(worst("selection_rate", Difference)), 0.194444, 1e-6);
    near(Ok(worst("selection_rate", Ratio)), 0.740741, 1e-6);
    near(Ok(worst("true_positive_rate", Ratio)), 0.8, 1e-6);
}

/// AIF360's notebook on the Titanic: survived, the first class against the others, 1,045 passengers.
#[test]
fn titanic_by_class() {
    let rows = Rows::of_rates(&[("1st", 181, 284), ("others", 246, 761)]);
    let report = plan().reference("group", "1st").run(&rows.decisions()).unwrap();
    assert_eq!(report.data.rows, 1045);
    near(against(&report, "disparate_impact", "others", Ratio, "1st"), 0.5072128124523562, 1e-12);
}

/// Selected at 48/80 and 56/70: Newcombe 1998, table II, method 10.
#[test]
fn newcombe_intervals() {
    let rows = Rows::of_rates(&[("a", 56, 70), ("b", 48, 80)]);
    let report = plan().policy(Policy::default()).reference("group", "b").run(&rows.decisions()).unwrap();
    let found = disparity(&report, "selection_rate", "a", Difference, "b");
    let (low, high) = found.estimate.interval().unwrap();
    close(found.estimate.value(), 0.2);
    assert!((low - 0.0524).abs() < 5e-5 && (high - 0.3339).abs() < 5e-5, "{low} {high}");
}

/// fairlearn's user guide, intersecting groups: so many of so many positives selected.
#[test]
fn fairlearn_intersections() {
    let positives =
        [("a", "6", 0, 1), ("a", "8", 1, 1), ("b", "6", 2, 3), ("b", "8", 1, 2), ("c", "6", 2, 4), ("c", "8", 0, 1)];
    let people = positives.iter().flat_map(|&(group, stratum, selected, all)| {
        [(1, selected), (0, all - selected)].map(|(decision, count)| People {
            group,
            stratum,
            label: 1,
            decision,
            count,
        })
    });
    let rows = Rows::of(&people.collect::<Vec<_>>());
    let batch = Batch::builder()
        .attribute(groups("first", &rows.group))
        .attribute(groups("second", &rows.stratum))
        .label(&rows.label)
        .decision(&rows.decision)
        .build()
        .unwrap();
    let report = plan().run(&batch).unwrap();
    near(overall(&report, "true_positive_rate"), 0.5, 1e-9);
    for (name, expected) in
        [("a & 6", 0.0), ("a & 8", 1.0), ("b & 6", 0.666667), ("b & 8", 0.5), ("c & 6", 0.5), ("c & 8", 0.0)]
    {
        near(group(&report, "true_positive_rate", name), expected, 1e-6);
    }
}

/// The same, control features: so many of so many decided rightly.
#[test]
fn fairlearn_control_features() {
    let right =
        [("A", "H", 1, 5), ("B", "H", 2, 5), ("C", "H", 3, 4), ("A", "L", 2, 5), ("B", "L", 2, 7), ("C", "L", 2, 4)];
    let people = right.iter().flat_map(|&(group, stratum, right, all)| {
        [(1, right), (0, all - right)].map(|(decision, count)| People { group, stratum, label: 1, decision, count })
    });
    let rows = Rows::of(&people.collect::<Vec<_>>());
    let batch = Batch::builder()
        .attribute(groups("group", &rows.group))
        .attribute(groups("income", &rows.stratum))
        .stratum(groups("stratum", &rows.stratum))
        .label(&rows.label)
        .decision(&rows.decision)
        .build()
        .unwrap();
    let report = plan().run(&batch).unwrap();
    near(report.metric("accuracy").unwrap().group_of("income", "H").unwrap().value(), 0.4285, 1e-4);
    near(report.metric("accuracy").unwrap().group_of("income", "L").unwrap().value(), 0.375, 1e-9);
    let table = report.models[0].table("group").unwrap();
    for (name, high, low) in [("A", 0.2, 0.4), ("B", 0.4, 0.2857), ("C", 0.75, 0.5)] {
        let found = table.groups.iter().find(|g| g.group == name).unwrap();
        near(found.strata["H"]["accuracy"].value(), high, 1e-4);
        near(found.strata["L"]["accuracy"].value(), low, 1e-4);
    }
    for (stratum, gap) in [("H", 0.55), ("L", 0.2142)] {
        let found = table
            .disparities
            .iter()
            .find(|d| d.metric == "accuracy" && d.comparison == Difference && d.stratum.as_deref() == Some(stratum));
        near(found.unwrap().estimate.value(), gap, 1e-4);
    }
}
