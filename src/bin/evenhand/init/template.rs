//! The policy file as text: every setting with its meaning, guesses filled in, doubts commented out.

use std::fmt::Write;

use evenhand::data::default_missing;

use super::roles::{Column, Guess, Role};

/// A text as TOML writes it. (Every JSON text is one, but for the one control character that JSON lets stand.)
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A text from the data, quoted, and cut where it is long.
pub fn short(text: &str) -> String {
    const LONG: usize = 24;
    if text.chars().count() <= LONG {
        quoted(text)
    } else {
        quoted(&format!("{}...", text.chars().take(LONG).collect::<String>()))
    }
}

fn list<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    format!("[{}]", columns.into_iter().map(|c| quoted(&c.written)).collect::<Vec<_>>().join(", "))
}

/// The policy file.
pub fn policy(file: &str, rows: usize, all: bool, command: &str, guess: &Guess) -> String {
    let mut out = String::new();
    let looked = if all { format!("all its {rows} rows") } else { format!("its first {rows} rows") };
    let _ = write!(
        out,
        "# The policy for {}, guessed from the names and values in {looked}.\n\
         # Check what is set, and what is commented out. Then run\n\
         #   {}\n\
         # What a flag of the command says wins over what this file says of the same thing.\n\n",
        quoted(file),
        command.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
    );
    out.push_str(&judging(guess));
    out.push_str(&columns(guess));
    out.push_str(OTHERS);
    out.push_str(&seen(guess));
    out
}

/// The policy proper.
fn judging(guess: &Guess) -> String {
    let decides = guess.of(Role::Decision, true).next().is_some() || guess.of(Role::Score, true).next().is_some();
    let preset = if decides { "" } else { "# " };
    let why = if decides { "" } else { "# There is no decision to judge by it yet: see `decisions` below.\n" };
    // Where nobody was selected yet, what can be judged is the label itself.
    let examples = if decides {
        "\
# [[criteria]]
# metric = \"equal_opportunity\"
# comparison = \"difference\"
# maximum = 0.05
# against = \"between_groups\"
# attributes = [\"sex\"]
#
# [[criteria]]
# metric = \"disparate_impact\"
# comparison = \"ratio\"
# minimum = 0.8
"
    } else {
        "\
# [[criteria]]
# metric = \"base_rate\"
# comparison = \"difference\"
# maximum = 0.05
# against = \"between_groups\"
# attributes = [\"sex\"]
"
    };
    format!(
        "# A ready policy to start from: four-fifths (disparate impact of at least 0.8), equal-opportunity,
# nyc-local-law-144 or strict. What follows in this file changes it.
{why}{preset}preset = \"four-fifths\"

# The confidence of every interval. A criterion passes or fails only if its whole interval does.
confidence = 0.95

# Groups with fewer rows, or a smaller share of them, are shown and not judged.
minimum_group_size = 10
minimum_group_share = 0.0

# How p-values are adjusted for the number of comparisons: none, holm,
# benjamini_hochberg or benjamini_yekutieli.
multiplicity = \"holm\"

# What an inconclusive finding counts as: pass, fail or inconclusive.
inconclusive = \"inconclusive\"

# Criteria, in place of those of the preset. A difference has a `maximum`, a ratio a `minimum`.
# `against` is between_groups (the worst pair), reference, rest or overall;
# `attributes` limits it to some of them; `evenhand metrics` lists what can be compared.
#
{examples}"
    )
}

/// Why columns are set.
fn reasons(out: &mut String, columns: &[&Column]) {
    for column in columns {
        let _ = writeln!(out, "#   {}: {}.", quoted(&column.name), column.why);
    }
}

/// A setting that is not sure, commented out.
fn perhaps(out: &mut String, key: &str, value: &str, column: &Column) {
    let _ = writeln!(out, "# {key} = {value}   # perhaps: {}", column.why);
}

/// The `[columns]`.
fn columns(guess: &Guess) -> String {
    let mut out = String::from("\n[columns]\n");
    let sure = |role| guess.of(role, true).collect::<Vec<_>>();
    let doubtful = |role| guess.of(role, false).collect::<Vec<_>>();
    let mut set = |comment: &str, key: &str, role: Role, example: &str| {
        let _ = write!(out, "{comment}");
        let (mut sure, doubtful) = (sure(role), doubtful(role));
        let single = matches!(role, Role::Label | Role::Weight);
        if single {
            sure.truncate(1);
        }
        let value = |columns: &[&Column]| match columns {
            [one] if single => quoted(&one.written),
            many => list(many.iter().copied()),
        };
        if !sure.is_empty() {
            reasons(&mut out, &sure);
            let _ = writeln!(out, "{key} = {}", value(&sure));
        } else if doubtful.is_empty() {
            let _ = writeln!(out, "# {key} = {example}");
        }
        for column in doubtful {
            perhaps(&mut out, key, &value(&[column]), column);
        }
        out.push('\n');
    };
    set(
        "# Who people are: the protected attributes. Numbers are cut into bands, \"age:<=25,26-40,>40\" or\n\
         # \"age:quantiles:4\"; levels are merged and renamed, \"race:Asian=Chinese+Indian,Other=x\".\n",
        "attributes",
        Role::Attribute,
        "[\"sex\", \"age:<=25,26-40,>40\"]",
    );
    set(
        "# What the model decided, targeted or not. Several are several models.\n",
        "decisions",
        Role::Decision,
        "[\"targeted\"]",
    );
    set("# What really happened: responded, bought, repaid.\n", "label", Role::Label, "\"responded\"");
    set(
        "# The model's score. As many as decisions: each belongs to the decision of its place.\n",
        "scores",
        Role::Score,
        "[\"propensity\"]",
    );
    out.push_str(&selections(guess));
    out.push_str(&favorable(guess));
    let mut set = |comment: &str, key: &str, role: Role, example: &str| {
        let _ = write!(out, "{comment}");
        let single = role == Role::Weight;
        let write = |c: &Column| if single { quoted(&c.written) } else { list([c]) };
        if let Some(column) = guess.of(role, true).next() {
            reasons(&mut out, &[column]);
            let _ = writeln!(out, "{key} = {}", write(column));
        } else if guess.of(role, false).next().is_none() {
            let _ = writeln!(out, "# {key} = {example}");
        }
        for column in guess.of(role, false) {
            perhaps(&mut out, key, &write(column), column);
        }
        out.push('\n');
    };
    set("# The weight of each row, finite and at least 0.\n", "weight", Role::Weight, "\"weight\"");
    set(
        "# Legitimate reasons for a difference: groups are compared within them too. Several are crossed.\n",
        "strata",
        Role::Stratum,
        "[\"region\"]",
    );
    let missing: Vec<String> = default_missing().iter().chain(&guess.missing).map(|m| quoted(m)).collect();
    let _ = write!(out, "# The texts that mean missing.\nmissing = [{}]\n", missing.join(", "));
    out
}

/// Thresholds and tops: they make decisions from scores.
fn selections(guess: &Guess) -> String {
    let scored = guess.of(Role::Score, true).next().is_some();
    let decided = guess.of(Role::Decision, true).next().is_some();
    let (note, mark) = if scored && !decided {
        ("# There is a score and no decision: as long as nothing else is set, the best tenth is selected.\n", "")
    } else {
        ("", "# ")
    };
    format!(
        "# Decisions made from each score: all of at least a threshold, and the best so many or such a share.\n{note}\
         # thresholds = [0.5]\n{mark}top = [{{ share = 0.1 }}]\n# top = [{{ count = 1000 }}]\n\n"
    )
}

/// Which values are favourable.
fn favorable(guess: &Guess) -> String {
    let mut out = String::from(
        "# The favourable values of a label or decision that is not plainly yes/no, true/false or 1/0.\n\
         # Every other value is then unfavourable.\n",
    );
    let binary = || guess.columns.iter().filter(|c| matches!(c.role, Some(Role::Label | Role::Decision)));
    let told: Vec<String> = binary()
        .filter(|c| c.sure)
        .filter_map(|c| Some(format!("{} = [{}]", quoted(&c.name), quoted(c.favorable.as_ref()?))))
        .collect();
    if told.is_empty() {
        out.push_str("# favorable = { outcome = [\"good\"] }\n");
    } else {
        let _ = writeln!(out, "# This is a guess: check it.\nfavorable = {{ {} }}", told.join(", "));
    }
    for column in binary().filter(|c| c.sure && c.favorable.is_none()) {
        // Of every plain pair, 0/1, no/yes, ..., the second in order is the favourable one.
        let Some([_, good]) = &column.pair else { continue };
        let _ = writeln!(out, "# Of {}, {} counts as favourable.", quoted(&column.name), quoted(good));
    }
    for column in binary().filter(|c| !c.sure) {
        let of = column.pair.as_ref().map_or(column.about.clone(), |[a, b]| format!("{} or {}", short(a), short(b)));
        let _ = writeln!(out, "# {} needs it: {of}", quoted(&column.name));
    }
    out.push('\n');
    out
}

/// What no file can be guessed to want.
const OTHERS: &str = "
[audit]
# Up to how many attributes are crossed into intersections.
order = 2
# Which group is the reference of an attribute that has none in [references]: largest or best_off.
reference_rule = \"largest\"
# Whether people whose attribute is not known are a group of their own.
missing_as_group = false
# The seed of everything random, and the replicates of the bootstrap.
# seed = 1
# replicates = 1000

# The group that the others of an attribute are compared with.
[references]
# sex = \"male\"

# Groups by rule, compared with everybody else: `&` is all of, `|` any of. They may overlap.
# [[groups]]
# name = \"young women\"
# rule = \"sex=female & age=<=25\"
";

/// What the file holds.
fn seen(guess: &Guess) -> String {
    let mut out = String::from("\n# The columns of the file:\n");
    for column in &guess.columns {
        let _ = writeln!(out, "#   {}: {}", quoted(&column.name), column.about);
    }
    out
}
