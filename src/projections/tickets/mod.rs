//! Projects of masters and their tickets. One read model, because every order that holds or releases a ticket moves the
//! number of tickets its project has for sale.

mod queries;
mod write;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{
    FollowedTicket, Project, Projects, TicketDetail, TicketItem, followed_projects,
    followed_tickets, for_sale, owned, project, projects, ticket,
};

use super::listed::Rows;
use super::{FoldError, Handling, Projection, at, number};
use crate::events::project::ProjectDetails;
use crate::events::ticket::{Sale, TicketDetails};
use crate::events::{Event, Fact, ProjectEvent, TicketEvent};

/// The read model `tickets`.
pub struct Tickets;

#[async_trait]
impl Projection for Tickets {
    fn name(&self) -> &'static str {
        "tickets"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Project", "Ticket"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Project(event) => match event {
                ProjectEvent::ProjectCreated(_)
                | ProjectEvent::ProjectEdited(_)
                | ProjectEvent::ProjectWithdrawn {}
                | ProjectEvent::ProjectRestored {} => Handling::Handled,
            },
            Event::Ticket(event) => match event {
                TicketEvent::TicketCreated(_)
                | TicketEvent::TicketEdited(_)
                | TicketEvent::TicketReserved { .. }
                | TicketEvent::TicketReleased { .. }
                | TicketEvent::TicketSold { .. }
                | TicketEvent::TicketWithdrawn { .. }
                | TicketEvent::TicketRestored { .. } => Handling::Handled,
            },
            _ => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact)?;
        }
        changes.write(tx).await?;
        Ok(())
    }
}

/// The number of a state in the table.
const fn state_number(sale: Sale) -> i16 {
    match sale {
        Sale::OnSale => 0,
        Sale::Reserved { .. } => 1,
        Sale::Sold { .. } => 2,
        Sale::Withdrawn => 3,
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    projects: Rows<i64, 1>,
    issued: BTreeMap<i64, Issued<'f>>,
    changed: BTreeMap<i64, Changed<'f>>,
}

/// A ticket of this batch, as it stands at its end.
struct Issued<'f> {
    position: i64,
    project_id: i64,
    created_at: DateTime<Utc>,
    now: Changed<'f>,
}

/// New values of what can change.
#[derive(Default)]
struct Changed<'f> {
    updated_at: DateTime<Utc>,
    name: Option<&'f str>,
    image: Option<&'f str>,
    intro: Option<&'f str>,
    price_fen: Option<i64>,
    sale: Option<Sale>,
    sold_to: Option<(&'f str, DateTime<Utc>)>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        let id = &fact.place.stream.id;
        match &fact.event {
            Event::Project(event) => {
                let id = number(fact, id)?;
                self.projects.fold::<ProjectDetails>(id, fact, event)
            }
            Event::Ticket(event) => {
                self.fold_ticket(number(fact, id)?, fact, event);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fold_ticket(&mut self, id: i64, fact: &'f Fact, event: &'f TicketEvent) {
        let at = at(fact);
        match event {
            TicketEvent::TicketCreated(details) => {
                self.for_sale(details.project_id, 1);
                self.issued
                    .insert(id, issued(fact.place.position, at, details));
            }
            TicketEvent::TicketEdited(edit) => {
                let ticket = self.of(id, at);
                ticket.name = edit.name.as_deref().or(ticket.name);
                ticket.image = edit.image.as_deref().or(ticket.image);
                ticket.intro = edit.intro.as_deref().or(ticket.intro);
                ticket.price_fen = edit.price_fen.or(ticket.price_fen);
            }
            TicketEvent::TicketReserved {
                order_id,
                project_id,
            } => {
                let order_id = *order_id;
                self.of(id, at).sale = Some(Sale::Reserved { order_id });
                self.for_sale(*project_id, -1);
            }
            TicketEvent::TicketSold { order_id, uid, .. } => {
                let order_id = *order_id;
                let ticket = self.of(id, at);
                ticket.sale = Some(Sale::Sold { order_id });
                ticket.sold_to = Some((uid, at));
            }
            TicketEvent::TicketReleased { project_id, .. }
            | TicketEvent::TicketRestored { project_id } => {
                self.of(id, at).sale = Some(Sale::OnSale);
                self.for_sale(*project_id, 1);
            }
            TicketEvent::TicketWithdrawn { project_id } => {
                self.of(id, at).sale = Some(Sale::Withdrawn);
                self.for_sale(*project_id, -1);
            }
        }
    }

    fn for_sale(&mut self, project_id: i64, by: i64) {
        self.projects.count(project_id, 0, by);
    }

    fn of(&mut self, id: i64, at: DateTime<Utc>) -> &mut Changed<'f> {
        let ticket = match self.issued.get_mut(&id) {
            Some(issued) => &mut issued.now,
            None => self.changed.entry(id).or_default(),
        };
        ticket.updated_at = at;
        ticket
    }
}

fn issued(position: i64, at: DateTime<Utc>, details: &TicketDetails) -> Issued<'_> {
    Issued {
        position,
        project_id: details.project_id,
        created_at: at,
        now: Changed {
            updated_at: at,
            name: Some(&details.name),
            image: Some(&details.image),
            intro: Some(&details.intro),
            price_fen: Some(details.price_fen),
            sale: Some(Sale::OnSale),
            sold_to: None,
        },
    }
}
