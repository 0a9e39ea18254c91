//! `shiji audit replay`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::cli::progress::Progress;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::events::fold_of;
use crate::ledger::{AppendLimits, Finding, Recorded, StreamId};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Folds every stream of the log through today's code. What does not decode, does not fold or is not sound is a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
) -> anyhow::Result<Exit> {
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 3).await?;
    let total = u64::try_from(ledger.head().await?.position).unwrap_or(0);
    let mut progress = Progress::new("Replaying events", total);
    let replayed = ledger.replay(judge, |events| progress.set(events)).await?;
    drop(progress);
    store::part(&ledger).await;
    if output.json {
        show::json(&replayed)?;
    } else {
        let mut table = show::table(["aggregate", "streams", "events"]);
        for (aggregate, (streams, events)) in &replayed.aggregates {
            let number = |n: &u64| show::number(i64::try_from(*n).unwrap_or(i64::MAX));
            table.add_row([aggregate.as_str().into(), number(streams), number(events)]);
        }
        show::line(&table.to_string())?;
        for Finding {
            stream,
            sequence,
            reason,
        } in &replayed.findings
        {
            show::line(&format!("{stream}, event {sequence}: {reason}"))?;
        }
        if replayed.findings.is_empty() {
            show::line("Every stream decodes, folds and keeps its invariants.")?;
        }
    }
    Ok(if replayed.findings.is_empty() {
        Exit::Fine
    } else {
        Exit::Finding
    })
}

/// Folds a stream; a state must serialize after every event it went through, or no snapshot could be taken of it.
fn judge(stream: &StreamId, recorded: &[Recorded]) -> Option<Finding> {
    let finding = |sequence: i64, reason: String| {
        Some(Finding {
            stream: stream.to_string(),
            sequence,
            reason,
        })
    };
    let Some(mut fold) = fold_of(&stream.aggregate) else {
        return finding(1, "this build does not know the aggregate".to_owned());
    };
    for event in recorded {
        // A fold never refuses and never panics; if one does, the audit says where and goes on.
        let applied = catch_unwind(AssertUnwindSafe(|| fold.apply(event)));
        match applied {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(broken))) => return finding(event.sequence, broken.to_owned()),
            Ok(Err(error)) => return finding(event.sequence, error.to_string()),
            Err(_) => return finding(event.sequence, "the fold panicked".to_owned()),
        }
    }
    match fold.state() {
        Ok(_) => None,
        Err(error) => {
            let last = recorded.last().map_or(0, |event| event.sequence);
            finding(last, format!("the state does not serialize: {error}"))
        }
    }
}
