//! The catalogue and the shop of the data set: what staff puts up for the community, and a few members who follow, collect,
//! fill carts and order.
//!
//! They are the same whatever the seed. Every command has a correlation of its own, `demo/market/…`, and what the log knows
//! under it is not sent again.

mod catalogue;
mod shoppers;

use std::collections::HashMap;

use anyhow::anyhow;
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use super::fill::{PATIENCE, SURFACE, receipt};
use crate::commands::{Desk, DeskError, Operation, Request};
use crate::ledger::Metadata;

/// What correlations begin with.
const PREFIX: &str = "demo/market/";
/// Who puts things up.
const STAFF: &str = "system:demo";

/// What a run has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Things put into the catalogue now; tickets count one by one.
    pub things: u64,
    /// Orders placed now.
    pub orders: u64,
    /// Commands accepted now, those among them.
    pub commands: u64,
}

struct Teller<'d> {
    desk: &'d Desk,
    /// The ids of what the log knows, by correlation and aggregate, in the order of the log.
    told: HashMap<(String, String), Vec<String>>,
    sent: Sent,
}

/// Sends what is missing.
///
/// # Errors
/// When something breaks; what was sent stays.
pub async fn fill(desk: &Desk) -> anyhow::Result<Sent> {
    let mut told: HashMap<_, Vec<String>> = HashMap::new();
    for trace in desk.ledger().traces(SURFACE, PREFIX).await? {
        let key = (trace.correlation, trace.stream.aggregate.into_owned());
        told.entry(key).or_default().push(trace.stream.id);
    }
    let mut teller = Teller {
        desk,
        told,
        sent: Sent::default(),
    };
    let members = teller.members().await?;
    let stock = teller.catalogue(&members).await?;
    teller.shop(&stock, &members).await?;
    Ok(teller.sent)
}

impl Teller<'_> {
    /// The ids of what was made under `what`.
    fn known(&self, what: &str, aggregate: &str) -> Option<&Vec<String>> {
        let key = (format!("{PREFIX}{what}"), aggregate.to_owned());
        self.told.get(&key)
    }

    /// What the operation answers; nothing when a rule says no, because somebody changed what the command is about.
    async fn send<O: Operation>(
        &mut self,
        actor: &str,
        what: &str,
        operation: &O,
    ) -> anyhow::Result<Option<O::Outcome>> {
        let correlation = format!("{PREFIX}{what}");
        let request = Request {
            metadata: Metadata {
                actor: actor.to_owned(),
                surface: SURFACE.to_owned(),
                request_id: Uuid::now_v7(),
                causation: None,
                correlation: Some(correlation.clone()),
                at: self.desk.ledger().clock().now(),
            },
            // Two runs at once shall not both do it.
            receipt: Some(receipt(&correlation)),
            if_match: None,
            deadline: Instant::now() + PATIENCE,
        };
        match self.desk.run(&request, operation).await {
            Ok(done) => {
                let moved = done.changes.iter().any(|change| !change.events.is_empty());
                self.sent.commands += u64::from(moved && !done.repeated);
                Ok(Some(done.outcome))
            }
            Err(DeskError::Refused(refusal)) => {
                tracing::debug!("{what} is not sent: {refusal}");
                Ok(None)
            }
            Err(error) => Err(anyhow!("{what}: {error}")),
        }
    }

    /// As [`Self::send`], once: what the log knows under `what` in an aggregate is not sent again.
    async fn once<O: Operation>(
        &mut self,
        actor: &str,
        what: &str,
        aggregate: &str,
        operation: &O,
    ) -> anyhow::Result<()> {
        if self.known(what, aggregate).is_none() {
            self.send(actor, what, operation).await?;
        }
        Ok(())
    }
}

/// The same 32 hex characters for the same words, always.
fn made_id(words: &str) -> String {
    let digest = Sha256::digest(format!("{PREFIX}{words}").as_bytes());
    HEXLOWER.encode(&digest[..16])
}
