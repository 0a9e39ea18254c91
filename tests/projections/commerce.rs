//! Histories of the catalogue, of tickets, carts and orders, for the property of the cuts.

use shiji::events::banner::{BannerDetails, BannerEdit, Placement};
use shiji::events::cart::CartRemoval;
use shiji::events::cloth::{ClothDetails, ClothEdit, Collection};
use shiji::events::game::{GameDetails, GameEdit};
use shiji::events::listed::{Listed, Listing};
use shiji::events::master::{MasterDetails, MasterEdit};
use shiji::events::merchant::{MerchantDetails, MerchantEdit};
use shiji::events::order::OrderLine;
use shiji::events::party::{Party, PartyKind, Target, TargetKind};
use shiji::events::project::{ProjectDetails, ProjectEdit};
use shiji::events::reaction::{ReactionKey, ReactionKind};
use shiji::events::ticket::{Sale, TicketDetails, TicketEdit};
use shiji::events::{
    Banner, Cart, CartEvent, Cloth, Event, Follow, FollowEvent, Game, Master, Merchant, Order,
    OrderEvent, Project, Reaction, ReactionEvent, Ticket, TicketEvent,
};
use shiji::ledger::{State, StreamId};

/// How many streams there are of these.
pub const STREAMS: usize = 19;

/// A stream of one of them.
pub enum Commerce {
    Banner(Banner),
    Cloth(Cloth),
    Game(Game),
    Master(Master),
    Merchant(Merchant),
    Project(Project),
    Ticket(Ticket),
    Cart(Cart),
    Order(Order),
    Reaction(Reaction, ReactionKey),
    Follow(Follow, Target),
}

impl Commerce {
    pub fn new(number: usize) -> (StreamId, Self) {
        let hex = "0f".repeat(16);
        let reaction = |key: &str| {
            let key: ReactionKey = key.parse().unwrap();
            let state = Self::Reaction(Reaction::default(), key.clone());
            (StreamId::new("Reaction", key.to_string()), state)
        };
        let (aggregate, id, state) = match number {
            0 => ("Banner", "1".to_owned(), Self::Banner(Listed::default())),
            1 | 2 => ("Cloth", number.to_string(), Self::Cloth(Listed::default())),
            3 => ("Game", "3".to_owned(), Self::Game(Listed::default())),
            4 => ("Master", hex, Self::Master(Listed::default())),
            5 => ("Merchant", hex, Self::Merchant(Listed::default())),
            6 | 7 => (
                "Project",
                (number - 5).to_string(),
                Self::Project(Listed::default()),
            ),
            8..11 => (
                "Ticket",
                number.to_string(),
                Self::Ticket(Ticket::default()),
            ),
            11 => ("Cart", hex, Self::Cart(Cart::default())),
            12 | 13 => ("Order", number.to_string(), Self::Order(Order::default())),
            17 | 18 => {
                let kind = [TargetKind::Master, TargetKind::Merchant][number - 17];
                let target = Target::new(kind, hex);
                let id = StreamId::new("Follow", format!("member:a:{target}"));
                return (id, Self::Follow(Follow::default(), target));
            }
            14 => return reaction("member:a:like:game:3"),
            15 => return reaction("member:b:collect:game:3"),
            _ => return reaction("member:a:collect:cloth:1"),
        };
        (StreamId::new(aggregate, id), state)
    }

    pub fn next(&mut self, choice: u8, text: &str) -> Option<Event> {
        let text = text.to_owned();
        Some(match self {
            Self::Banner(state) => {
                let (made, edit) = banner(choice, text);
                Event::Banner(live(state, choice, made, edit))
            }
            Self::Cloth(state) => {
                let (made, edit) = cloth(choice, text);
                Event::Cloth(live(state, choice, made, edit))
            }
            Self::Game(state) => {
                let (made, edit) = game(choice, text);
                Event::Game(live(state, choice, made, edit))
            }
            Self::Master(state) => {
                let (made, edit) = master(choice, text);
                Event::Master(live(state, choice, made, edit))
            }
            Self::Merchant(state) => {
                let (made, edit) = merchant(choice, text);
                Event::Merchant(live(state, choice, made, edit))
            }
            Self::Project(state) => {
                let (made, edit) = project(choice, text);
                Event::Project(live(state, choice, made, edit))
            }
            Self::Ticket(state) => {
                let event = ticket_event(state, choice, text);
                state.apply(&event);
                Event::Ticket(event)
            }
            Self::Cart(state) => {
                let event = cart_event(state, i64::from(choice / 2), choice);
                state.apply(&event);
                Event::Cart(event)
            }
            Self::Order(state) => {
                let event = order_event(state, choice, text)?;
                state.apply(&event);
                Event::Order(event)
            }
            Self::Follow(state, target) => {
                let (follower, target) = (Party::new(PartyKind::Member, "a"), target.clone());
                let event = match state {
                    Follow::Absent => FollowEvent::Followed { follower, target },
                    Follow::Following => FollowEvent::Unfollowed { follower, target },
                };
                state.apply(&event);
                Event::Follow(event)
            }
            Self::Reaction(state, key) => {
                assert!([ReactionKind::Like, ReactionKind::Collect].contains(&key.kind));
                assert!([TargetKind::Game, TargetKind::Cloth].contains(&key.target.kind));
                let ReactionKey {
                    actor,
                    kind,
                    target,
                } = key.clone();
                let event = match state {
                    Reaction::Absent => ReactionEvent::ReactionAdded {
                        actor,
                        kind,
                        target,
                        value: None,
                    },
                    Reaction::Given { .. } => ReactionEvent::ReactionRemoved {
                        actor,
                        kind,
                        target,
                        value: None,
                    },
                };
                state.apply(&event);
                Event::Reaction(event)
            }
        })
    }
}

fn banner(choice: u8, text: String) -> (BannerDetails, BannerEdit) {
    let made = BannerDetails {
        placement: Placement::Game,
        image: text.clone(),
        url: String::new(),
        position: i32::from(choice),
    };
    let edit = BannerEdit {
        url: Some(text),
        ..BannerEdit::default()
    };
    (made, edit)
}

fn cloth(choice: u8, text: String) -> (ClothDetails, ClothEdit) {
    let made = ClothDetails {
        collection: Collection::Merchant,
        merchant_id: Some(text.clone()),
        name: text.clone(),
        image: text.clone(),
        intro: text.clone(),
        price_fen: i64::from(choice),
        dynasty: 9,
        designer_intro: String::new(),
        recommended: choice.is_multiple_of(2),
    };
    let edit = ClothEdit {
        name: Some(text),
        price_fen: Some(7),
        ..ClothEdit::default()
    };
    (made, edit)
}

fn game(choice: u8, text: String) -> (GameDetails, GameEdit) {
    let made = GameDetails {
        name: text.clone(),
        image: text.clone(),
        intro: text.clone(),
        recommended: true,
    };
    let edit = GameEdit {
        intro: Some(text),
        recommended: Some(choice.is_multiple_of(3)),
        ..GameEdit::default()
    };
    (made, edit)
}

fn master(choice: u8, text: String) -> (MasterDetails, MasterEdit) {
    let made = MasterDetails {
        name: text.clone(),
        avatar: Some(text.clone()),
        intro: text.clone(),
        address: text.clone(),
        birthday: "1990-01-01".parse().ok(),
        recommended: true,
        uid: Some(text.clone()),
    };
    let edit = MasterEdit {
        avatar: Some(None),
        birthday: choice.is_multiple_of(2).then_some(None),
        uid: Some(Some(text)),
        ..MasterEdit::default()
    };
    (made, edit)
}

fn merchant(_: u8, text: String) -> (MerchantDetails, MerchantEdit) {
    let made = MerchantDetails {
        name: text.clone(),
        logo: None,
        intro: text.clone(),
        address: text.clone(),
        phone: Some(text.clone()),
        email: None,
    };
    let edit = MerchantEdit {
        phone: Some(None),
        email: Some(Some(text)),
        ..MerchantEdit::default()
    };
    (made, edit)
}

fn project(_: u8, text: String) -> (ProjectDetails, ProjectEdit) {
    let made = ProjectDetails {
        master_id: text.clone(),
        name: text.clone(),
        image: text.clone(),
        intro: text.clone(),
        recommended: false,
    };
    let edit = ProjectEdit {
        name: Some(text),
        ..ProjectEdit::default()
    };
    (made, edit)
}

/// What can happen next to a thing of the catalogue.
fn live<D: Listing>(state: &mut Listed<D>, choice: u8, made: D, edit: D::Edit) -> D::Event {
    let event = match (&*state, choice) {
        (Listed::Unlisted, _) => made.created(),
        (Listed::Shown(_), 0..3) => D::withdrawn(),
        (Listed::Withdrawn(_), 0..5) => D::restored(),
        (_, _) => D::edited(edit),
    };
    state.apply(&event);
    event
}

/// Of a project that this history has, or of one that it does not.
fn ticket_event(state: &Ticket, choice: u8, text: String) -> TicketEvent {
    let Ticket::Issued { details, sale } = state else {
        return TicketEvent::TicketCreated(TicketDetails {
            project_id: i64::from(choice % 3) + 1,
            name: text.clone(),
            image: text.clone(),
            intro: text,
            price_fen: i64::from(choice),
        });
    };
    let project_id = details.project_id;
    match (sale, choice) {
        (_, 0 | 1) => TicketEvent::TicketEdited(TicketEdit {
            name: Some(text),
            ..TicketEdit::default()
        }),
        (Sale::OnSale, 2) => TicketEvent::TicketWithdrawn { project_id },
        (Sale::OnSale, _) => TicketEvent::TicketReserved {
            order_id: i64::from(choice),
            project_id,
        },
        (Sale::Withdrawn, _) => TicketEvent::TicketRestored { project_id },
        (Sale::Reserved { order_id }, 2..6) => TicketEvent::TicketReleased {
            order_id: *order_id,
            project_id,
        },
        (Sale::Reserved { order_id }, _) => TicketEvent::TicketSold {
            order_id: *order_id,
            uid: text,
            price_fen: 1,
        },
        (Sale::Sold { .. }, _) => TicketEvent::TicketEdited(TicketEdit {
            intro: Some(text),
            ..TicketEdit::default()
        }),
    }
}

fn cart_event(state: &Cart, ticket_id: i64, choice: u8) -> CartEvent {
    match (state.ticket_ids.contains(&ticket_id), choice % 2) {
        (false, _) => CartEvent::CartItemAdded { ticket_id },
        (true, 0) => CartEvent::CartItemRefreshed { ticket_id },
        (true, _) => CartEvent::CartItemRemoved {
            ticket_id,
            reason: CartRemoval::Ordered,
        },
    }
}

fn order_event(state: &Order, choice: u8, uid: String) -> Option<OrderEvent> {
    Some(match state {
        Order::Unplaced => OrderEvent::OrderPlaced {
            uid,
            lines: (0..=i64::from(choice % 3))
                .map(|ticket_id| OrderLine {
                    ticket_id,
                    price_fen: 5,
                })
                .collect(),
            price_fen: 5 * (i64::from(choice % 3) + 1),
        },
        Order::Pending(_) if choice.is_multiple_of(2) => OrderEvent::OrderPaid {
            uid,
            price_fen: 5,
            reference: None,
        },
        Order::Pending(_) => OrderEvent::OrderCancelled { uid, reason: None },
        Order::Done { .. } | Order::Cancelled(_) => return None,
    })
}
