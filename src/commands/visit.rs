//! Recording what visitors did (contract README section 3, row 13).
//!
//! Views, forwards and the like decide nothing: they are appended without a look at the stream. Only a consultation looks:
//! not again within a minute.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Decide;
use crate::events::{Visit, VisitEvent};

/// A consultation within this time of the last is the same one.
const CONSULT_EVERY: TimeDelta = TimeDelta::seconds(60);

/// What can be asked of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitCommand {
    /// Ask about a product.
    Consult {
        /// Who asks.
        customer_id: i64,
        /// Who is asked.
        uid: i64,
        /// About what.
        product_id: i64,
        /// When.
        at: DateTime<Utc>,
    },
    /// Record something that decides nothing, where a decision is already open on the stream.
    Record(VisitEvent),
}

/// A visit never says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum VisitError {}

impl Decide for Visit {
    type Command = VisitCommand;
    type Refusal = VisitError;

    fn decide(&self, command: &VisitCommand) -> Result<Vec<VisitEvent>, VisitError> {
        Ok(match command {
            VisitCommand::Consult {
                customer_id,
                uid,
                product_id,
                at,
            } => match self.consulted_at.get(uid) {
                Some(last) if *at - *last < CONSULT_EVERY => vec![],
                _ => vec![VisitEvent::ProductConsulted {
                    customer_id: *customer_id,
                    uid: *uid,
                    product_id: *product_id,
                    at: *at,
                }],
            },
            VisitCommand::Record(event) => vec![event.clone()],
        })
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn consult(uid: i64, seconds: i64) -> VisitCommand {
        VisitCommand::Consult {
            customer_id: 2,
            uid,
            product_id: 3,
            at: at(seconds),
        }
    }

    fn consulted(uid: i64, seconds: i64) -> VisitEvent {
        VisitEvent::ProductConsulted {
            customer_id: 2,
            uid,
            product_id: 3,
            at: at(seconds),
        }
    }

    #[test]
    fn a_consultation_within_a_minute_is_the_same_one() {
        let rules = || TestFramework::<Visit>::with(());
        rules()
            .given_no_previous_events()
            .when(consult(1, 0))
            .then_expect_events(vec![consulted(1, 0)]);
        rules()
            .given(vec![consulted(1, 0)])
            .when(consult(1, 59))
            .then_expect_events(vec![]);
        rules()
            .given(vec![consulted(1, 0)])
            .when(consult(1, 60))
            .then_expect_events(vec![consulted(1, 60)]);
        rules()
            .given(vec![consulted(1, 0)])
            .when(consult(9, 1))
            .then_expect_events(vec![consulted(9, 1)]);
    }
}
