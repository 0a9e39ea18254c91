//! `shiji projections prune`.

use crate::cli::Exit;
use crate::cli::show::{self, Output};
use crate::postgres::Database;
use crate::projections::projector::rebuild;

/// How.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what would be dropped, and drop nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Drops the tables that nobody runs: of other versions, and what rebuilds left.
pub async fn run(database: &Database, output: Output, args: Args) -> anyhow::Result<Exit> {
    let abandoned = rebuild::abandoned(database).await?;
    if !args.dry_run {
        rebuild::prune(database, &abandoned).await?;
    }
    if output.json {
        show::json(&serde_json::json!({ "dropped": !args.dry_run, "schemas": abandoned }))?;
    } else if abandoned.is_empty() {
        show::line("There is nothing to drop.")?;
    } else {
        let mut table = show::table(["schema", "bytes", "why"]);
        for one in &abandoned {
            table.add_row([
                one.schema.clone().into(),
                show::number(one.bytes),
                one.why.into(),
            ]);
        }
        show::line(&table.to_string())?;
        show::line(if args.dry_run {
            "Nothing was dropped."
        } else {
            "They are dropped."
        })?;
    }
    Ok(Exit::Fine)
}
