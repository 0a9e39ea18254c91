//! What can be asked of a ticket, and the rules that answer (contract README section 3, row 26): it is sold once.

use serde::{Deserialize, Serialize};

use super::{Book, Decide, Operation, Stop};
use crate::events::listed::Details;
use crate::events::ticket::{Sale, TicketDetails, TicketEdit};
use crate::events::{Project, Ticket, TicketEvent};

/// What can be asked of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketCommand {
    /// Put it up for sale. That its project is shown is the operation's to guard.
    Issue(TicketDetails),
    /// Describe it otherwise.
    Edit(TicketEdit),
    /// Hold it for an order.
    Reserve {
        /// Which.
        order_id: i64,
    },
    /// The order that holds it was cancelled.
    Release {
        /// Which.
        order_id: i64,
    },
    /// The order that holds it was paid.
    Sell {
        /// Which.
        order_id: i64,
        /// Whose it is.
        uid: String,
        /// What was paid for it, in fen.
        price_fen: i64,
    },
    /// Take it off the market.
    Withdraw,
    /// Put it up for sale again.
    Restore,
}

/// Why a ticket says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TicketError {
    /// There is no such ticket.
    #[error("there is no such ticket")]
    NotFound,
    /// The id is taken.
    #[error("the ticket exists already")]
    Exists,
    /// There is no such project, or it is withdrawn.
    #[error("there is no such project")]
    NoProject,
    /// It is reserved, sold or withdrawn.
    #[error("the ticket is not for sale")]
    NotOnSale,
    /// Another order holds it, or none.
    #[error("the ticket is not held by that order")]
    NotHeld,
    /// Its price moves only while it is for sale.
    #[error("the price of a ticket that is not for sale is fixed")]
    PriceFixed,
}

impl Decide for Ticket {
    type Command = TicketCommand;
    type Refusal = TicketError;

    fn decide(&self, command: &TicketCommand) -> Result<Vec<TicketEvent>, TicketError> {
        match (command, self) {
            (TicketCommand::Issue(details), Self::Unissued) => {
                Ok(vec![TicketEvent::TicketCreated(details.clone())])
            }
            (TicketCommand::Issue(_), Self::Issued { .. }) => Err(TicketError::Exists),
            (command, Self::Issued { details, sale }) => change(details, *sale, command),
            (_, Self::Unissued) => Err(TicketError::NotFound),
        }
    }
}

fn change(
    details: &TicketDetails,
    sale: Sale,
    command: &TicketCommand,
) -> Result<Vec<TicketEvent>, TicketError> {
    let project_id = details.project_id;
    match (command, sale) {
        (TicketCommand::Issue(_), _) => Err(TicketError::Exists),
        (TicketCommand::Edit(edit), sale) => match details.changed_by(edit) {
            Some(TicketEdit {
                price_fen: Some(_), ..
            }) if sale != Sale::OnSale => Err(TicketError::PriceFixed),
            changed => Ok(changed.map(TicketEvent::TicketEdited).into_iter().collect()),
        },
        (TicketCommand::Reserve { order_id }, Sale::OnSale) => {
            Ok(vec![TicketEvent::TicketReserved {
                order_id: *order_id,
                project_id,
            }])
        }
        (TicketCommand::Reserve { order_id }, Sale::Reserved { order_id: by })
            if *order_id == by =>
        {
            Ok(vec![])
        }
        (TicketCommand::Reserve { .. }, _) => Err(TicketError::NotOnSale),
        (TicketCommand::Release { order_id }, Sale::Reserved { order_id: by })
            if *order_id == by =>
        {
            Ok(vec![TicketEvent::TicketReleased {
                order_id: *order_id,
                project_id,
            }])
        }
        (TicketCommand::Release { .. }, Sale::OnSale) => Ok(vec![]),
        (
            TicketCommand::Sell {
                order_id,
                uid,
                price_fen,
            },
            Sale::Reserved { order_id: by },
        ) if *order_id == by => Ok(vec![TicketEvent::TicketSold {
            order_id: *order_id,
            uid: uid.clone(),
            price_fen: *price_fen,
        }]),
        (TicketCommand::Sell { order_id, .. }, Sale::Sold { order_id: by }) if *order_id == by => {
            Ok(vec![])
        }
        (TicketCommand::Release { .. } | TicketCommand::Sell { .. }, _) => {
            Err(TicketError::NotHeld)
        }
        (TicketCommand::Withdraw, Sale::OnSale) => {
            Ok(vec![TicketEvent::TicketWithdrawn { project_id }])
        }
        (TicketCommand::Withdraw, Sale::Reserved { .. } | Sale::Sold { .. }) => {
            Err(TicketError::NotOnSale)
        }
        (TicketCommand::Restore, Sale::Withdrawn) => {
            Ok(vec![TicketEvent::TicketRestored { project_id }])
        }
        (TicketCommand::Withdraw, Sale::Withdrawn) | (TicketCommand::Restore, _) => Ok(vec![]),
    }
}

/// Issues tickets of one project, all alike, in one job: all of them are for sale or none.
#[derive(Debug, Clone)]
pub struct IssueTickets {
    /// Their new ids.
    pub ids: Vec<i64>,
    /// How each of them is described; the project must be shown.
    pub details: TicketDetails,
}

impl Operation for IssueTickets {
    /// The ids; those of the first request where a key is repeated.
    type Outcome = Vec<i64>;
    type Refusal = TicketError;

    async fn attempt(&self, book: &mut Book) -> Result<Vec<i64>, Stop<TicketError>> {
        let project_id = self.details.project_id.to_string();
        if !matches!(
            &*book.state::<Project>(&project_id).await?,
            Project::Shown(_)
        ) {
            return Err(Stop::Refused(TicketError::NoProject));
        }
        let issue = TicketCommand::Issue(self.details.clone());
        for id in &self.ids {
            let id = id.to_string();
            book.create::<Ticket>(&id);
            book.decide::<Ticket>(&id, &issue).await?;
        }
        Ok(self.ids.clone())
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use rstest::rstest;

    use super::*;

    fn tickets() -> TestFramework<Ticket> {
        TestFramework::with(())
    }

    fn details() -> TicketDetails {
        TicketDetails {
            project_id: 3,
            name: "票名称0".to_owned(),
            image: "a.jpeg".to_owned(),
            intro: String::new(),
            price_fen: 1_999,
        }
    }

    fn issued() -> TicketEvent {
        TicketEvent::TicketCreated(details())
    }

    fn reserved() -> TicketEvent {
        TicketEvent::TicketReserved {
            order_id: 1,
            project_id: 3,
        }
    }

    fn released() -> TicketEvent {
        TicketEvent::TicketReleased {
            order_id: 1,
            project_id: 3,
        }
    }

    fn sold() -> TicketEvent {
        TicketEvent::TicketSold {
            order_id: 1,
            uid: "0f".to_owned(),
            price_fen: 1_999,
        }
    }

    fn withdrawn() -> TicketEvent {
        TicketEvent::TicketWithdrawn { project_id: 3 }
    }

    fn sell(order_id: i64) -> TicketCommand {
        TicketCommand::Sell {
            order_id,
            uid: "0f".to_owned(),
            price_fen: 1_999,
        }
    }

    fn reserve(order_id: i64) -> TicketCommand {
        TicketCommand::Reserve { order_id }
    }

    fn release(order_id: i64) -> TicketCommand {
        TicketCommand::Release { order_id }
    }

    #[rstest]
    #[case::reserved(vec![], reserve(1), vec![reserved()])]
    #[case::reserved_twice(vec![reserved()], reserve(1), vec![])]
    #[case::released(vec![reserved()], release(1), vec![released()])]
    #[case::released_twice(vec![reserved(), released()], release(1), vec![])]
    #[case::ordered_again(vec![reserved(), released()], reserve(1), vec![reserved()])]
    #[case::sold(vec![reserved()], sell(1), vec![sold()])]
    #[case::sold_twice(vec![reserved(), sold()], sell(1), vec![])]
    #[case::withdrawn(vec![], TicketCommand::Withdraw, vec![withdrawn()])]
    #[case::withdrawn_twice(vec![withdrawn()], TicketCommand::Withdraw, vec![])]
    #[case::restored(vec![withdrawn()], TicketCommand::Restore, vec![TicketEvent::TicketRestored { project_id: 3 }])]
    #[case::never_withdrawn(vec![reserved()], TicketCommand::Restore, vec![])]
    fn a_ticket_goes_from_hand_to_hand(
        #[case] then: Vec<TicketEvent>,
        #[case] command: TicketCommand,
        #[case] events: Vec<TicketEvent>,
    ) {
        tickets()
            .given([vec![issued()], then].concat())
            .when(command)
            .then_expect_events(events);
    }

    #[rstest]
    #[case::held_by_another(vec![reserved()], reserve(2), TicketError::NotOnSale)]
    #[case::sold(vec![reserved(), sold()], reserve(2), TicketError::NotOnSale)]
    #[case::sold_to_oneself(vec![reserved(), sold()], reserve(1), TicketError::NotOnSale)]
    #[case::withdrawn(vec![withdrawn()], reserve(2), TicketError::NotOnSale)]
    #[case::released_by_another(vec![reserved()], release(2), TicketError::NotHeld)]
    #[case::released_after_the_sale(vec![reserved(), sold()], release(1), TicketError::NotHeld)]
    #[case::sold_by_another(vec![reserved()], sell(2), TicketError::NotHeld)]
    #[case::sold_again_by_another(vec![reserved(), sold()], sell(2), TicketError::NotHeld)]
    #[case::sold_without_being_held(vec![], sell(1), TicketError::NotHeld)]
    #[case::withdrawn_while_held(vec![reserved()], TicketCommand::Withdraw, TicketError::NotOnSale)]
    #[case::withdrawn_after_the_sale(vec![reserved(), sold()], TicketCommand::Withdraw, TicketError::NotOnSale)]
    #[case::issued_twice(vec![], TicketCommand::Issue(details()), TicketError::Exists)]
    fn a_ticket_is_sold_once_and_only_by_the_order_that_holds_it(
        #[case] then: Vec<TicketEvent>,
        #[case] command: TicketCommand,
        #[case] refusal: TicketError,
    ) {
        tickets()
            .given([vec![issued()], then].concat())
            .when(command)
            .then_expect_error(refusal);
    }

    #[test]
    fn a_ticket_that_was_never_issued_is_not_found() {
        for command in [
            reserve(1),
            release(1),
            sell(1),
            TicketCommand::Withdraw,
            TicketCommand::Restore,
            TicketCommand::Edit(TicketEdit::default()),
        ] {
            tickets()
                .given_no_previous_events()
                .when(command)
                .then_expect_error(TicketError::NotFound);
        }
    }

    #[test]
    fn the_price_moves_only_while_the_ticket_is_for_sale() {
        let dearer = || TicketEdit {
            price_fen: Some(2_999),
            ..TicketEdit::default()
        };
        let same = || TicketEdit {
            name: Some("新名".to_owned()),
            price_fen: Some(1_999),
            ..TicketEdit::default()
        };
        tickets()
            .given(vec![issued()])
            .when(TicketCommand::Edit(dearer()))
            .then_expect_events(vec![TicketEvent::TicketEdited(dearer())]);
        for then in [
            vec![reserved()],
            vec![reserved(), sold()],
            vec![withdrawn()],
        ] {
            let given = || [vec![issued()], then.clone()].concat();
            tickets()
                .given(given())
                .when(TicketCommand::Edit(dearer()))
                .then_expect_error(TicketError::PriceFixed);
            // Everything else moves, and the price it has is no new price.
            tickets()
                .given(given())
                .when(TicketCommand::Edit(same()))
                .then_expect_events(vec![TicketEvent::TicketEdited(TicketEdit {
                    price_fen: None,
                    ..same()
                })]);
        }
    }
}
