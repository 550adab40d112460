//! `evenhand sql`: columns and a policy in, a statement out.

use evenhand::audit::AuditPlan;
use evenhand::engine;

use crate::args::SqlArgs;
use crate::failure::Failure;
use crate::output;
use crate::settings::Settings;

/// Writes the statement to standard output.
pub fn run(args: &SqlArgs) -> Result<(), Failure> {
    let settings = Settings::new(args)?;
    let plan = AuditPlan::new().columns(settings.columns).policy(settings.policy);
    let plan = settings.groups.into_iter().fold(plan, AuditPlan::group);
    let statement = engine::sql(&plan, &args.table, args.dialect)?;
    output::to_stdout(statement.as_bytes())
}
