//! Few rows of a small group: do new ones help? A model of who responds is trained on customers of whom few belong to the
//! smaller groups; SMOTE makes rows until groups respond at one rate, and the model is trained again. Beside it a plain
//! reweighting, which new rows have to beat, and how near the new rows are to real people.

mod story;

use evenhand::data::{Columns, source::Source};
use evenhand::mitigate::augment::{Augment, Distance, Fidelity, Target};
use evenhand::mitigate::evaluate::{Evaluation, Held, Outcome, Reweighted, Train};
use evenhand::mitigate::learn::{Learner, Logistic, Scorer};
use evenhand::mitigate::reweight::Reweight;

use story::say;

const FEATURES: [&str; 4] = ["age", "education_num", "hours_per_week", "capital_gain"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = Source::open(&["datasets/adult.csv.gz"])?;
    let mut columns = Columns::new().attribute("sex".parse()?).label("income");
    columns.favorable.insert("income".into(), vec![">50K".into()]);
    let rows = source.rows(&columns)?;
    let batch = rows.batch()?;
    let table = source.table(&FEATURES.map(String::from), &[])?;
    let (features, _) = table.features(&FEATURES)?;

    say(
        "Few women in these data earn much, so a model learns little of them. SMOTE makes new rows between those that there \
         are. Do they help, more than weights do that make nothing up?",
    );
    println!();

    // What the new rows are like.
    let smote = || Augment::smote().target(Target::EqualRates).seed(7);
    let augmented = smote().fit_resample(&table, &batch)?;
    print!("{}", augmented.record.to_text());
    let fidelity = Fidelity::of(&augmented, 7)?;
    println!();
    say(&fidelity.privacy.to_string());
    for column in &fidelity.columns {
        if let Some(Distance::KolmogorovSmirnov(distance)) = column.distance {
            println!("  {:<16} {distance:.3} from its distribution in the same cells", column.column);
        }
    }

    // Whether they help, on rows that they were not made from.
    let learner = Logistic::new();
    let more = |train: &Train| {
        let made = smote().fit_resample_array(train.features(), train.batch())?;
        let labels: Vec<bool> = made.labels.iter().map(|label| *label == 1).collect();
        let model = Logistic::new().fit(made.features.view(), &labels, &vec![1.0; labels.len()])?;
        Ok(move |held: &Held| {
            let scores = model.scores(held.features());
            Ok(Outcome::of_decisions(&model.decisions(held.features())).with_scores(scores))
        })
    };
    let weighed = Reweighted { reweight: Reweight::new(), learner };
    let report = Evaluation::new(learner)
        .mitigation("SMOTE to one label rate", more)
        .mitigation("Kamiran and Calders' weights", weighed)
        .held_out(0.5)
        .seed(7)
        .run(features.view(), &batch)?;
    println!("\n{}", report.to_text());
    Ok(())
}
