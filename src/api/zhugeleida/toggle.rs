//! A toggle that a browser or proxy sends twice must not flip twice (`contract/zhugeleida.md` 2.4).
//!
//! What the first request came to is remembered as a receipt, as under an `Idempotency-Key`: it is committed with the flip,
//! and every node finds it. Receipts live for a day and this memory for seconds, so the receipt's key holds the slot of
//! time it fell into, and the slots on both sides are looked at, too. Between the look and the flip the reaction must not
//! move: two of the same request at once do not both find nothing.

use std::time::Duration;

use chrono::TimeDelta;

use super::Problem;
use super::call::Call;
use crate::api::App;
use crate::commands::reaction::{Toggled, Wish};
use crate::commands::{DeskError, Done, Operation, Request};
use crate::events::Reaction;
use crate::events::reaction::ReactionKey;
use crate::ledger::{Freshness, State, StreamId};

/// How often a lost race is looked at again.
const ROUNDS: usize = 6;

/// What is wished of a reaction: `status` sets it, without that it flips.
pub fn wish(call: &Call) -> Result<Wish, Problem> {
    let status = call.choice("status", |status| match status {
        0 => Some(Wish::Remove),
        1 => Some(Wish::Add(None)),
        _ => None,
    })?;
    Ok(status.or(Wish::Toggle))
}

/// Runs a command to a customer's reaction, which `operation` must look at before it refuses anything. One that flips, sent
/// again within the time that is set, gets the first answer.
pub async fn run<O>(
    app: &App,
    call: &Call,
    request: Request,
    (key, wish): (&ReactionKey, Wish),
    operation: &O,
) -> Result<Done<Toggled>, DeskError<O::Refusal>>
where
    O: Operation<Outcome = Toggled>,
{
    let window = app.settings().toggle_repeat;
    if wish != Wish::Toggle || request.receipt.is_some() || window.is_zero() {
        return app.desk().run(&request, operation).await;
    }
    let mut freshness = Freshness::Cached;
    for _ in 0..ROUNDS {
        let request = request.clone();
        match once(app, call, request, (key, window, freshness), operation).await {
            Err(DeskError::VersionDiffers { .. } | DeskError::Conflict) => {
                freshness = Freshness::Reread;
            }
            other => return other,
        }
    }
    Err(DeskError::Conflict)
}

async fn once<O>(
    app: &App,
    call: &Call,
    mut request: Request,
    (key, window, freshness): (&ReactionKey, Duration, Freshness),
    operation: &O,
) -> Result<Done<Toggled>, DeskError<O::Refusal>>
where
    O: Operation<Outcome = Toggled>,
{
    let id = key.to_string();
    let before = app.ledger().load::<Reaction>(&id, freshness).await;
    let before = before.map_err(|error| DeskError::Fault(error.into()))?;
    let now = request.metadata.at;
    let slot = now.timestamp_millis() / i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    let receipt = |slot| call.incoming.sent_again(&key.actor.to_string(), slot);
    for near in [slot - 1, slot, slot + 1] {
        let kept = app.desk().kept::<O>(&receipt(near)).await?;
        let window = TimeDelta::from_std(window).unwrap_or(TimeDelta::MAX);
        if let Some(done) = kept
            && (now - done.outcome.at).abs() < window
        {
            return Ok(done);
        }
    }
    request.if_match = Some((StreamId::new(Reaction::TYPE, id), before.version));
    request.receipt = Some(receipt(slot));
    app.desk().run(&request, operation).await
}
