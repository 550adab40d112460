//! The arguments of `evenhand sql`.

use clap::Args;
use clap::builder::TypedValueParser;
use evenhand::engine::{Dialect, TableName};

use super::{ColumnArgs, GroupArgs, PolicyArgs, parsed};

const SQL_EXAMPLES: &str = "\
Examples:
  Count in DuckDB, audit the counts:
    evenhand sql --dialect duckdb --table customers -a sex -d targeted \\
        > count.sql
    duckdb shop.db \"COPY ($(cat count.sql)) TO 'counts.parquet'\"
    evenhand audit --tally counts.parquet -a sex -d targeted

  In PostgreSQL:
    evenhand sql --dialect postgres --table sales.customers -a sex -d targeted \\
        > count.sql
    psql -c \"COPY ($(cat count.sql)) TO STDOUT CSV HEADER\" > counts.csv
    evenhand audit --tally counts.csv -a sex -d targeted

Give the audit the same columns, levels, favourable values, missing texts,
condition and groups as the statement; its policy, thresholds and numbers to select may be others.";

/// Write the SQL statement that counts a table where it lives, for `evenhand audit --tally`.
///
/// The database is asked for counts of groups; rows do not leave it. The statement goes to standard output.
#[derive(Debug, Args)]
#[command(after_help = SQL_EXAMPLES)]
pub struct SqlArgs {
    /// The SQL to write.
    #[arg(long, value_name = "DIALECT", value_parser = dialect())]
    pub dialect: Dialect,

    /// The table, as if quoted in SQL: capitals count, `schema.table` has two parts, 'schema."a.b"' too.
    #[arg(long, value_name = "NAME", value_parser = parsed::<TableName>)]
    pub table: TableName,

    #[command(flatten)]
    pub columns: ColumnArgs,
    #[command(flatten)]
    pub groups: GroupArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// The names of the dialects, for help and completion too.
fn dialect() -> impl clap::builder::TypedValueParser<Value = Dialect> {
    let names = ["duckdb", "spark", "postgres", "bigquery", "snowflake", "ansi"];
    clap::builder::PossibleValuesParser::new(names).try_map(|name| name.parse::<Dialect>())
}
