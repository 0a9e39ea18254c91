//! Members of the data set, whom they follow, what they like, their carts and their orders.

use super::catalogue::{DESIGN_CLOTHS, Stock};
use super::{PREFIX, STAFF, Teller, made_id};
use crate::commands::cart::AddToCart;
use crate::commands::cloth::CollectCloth;
use crate::commands::follow::{FollowCommand, FollowOrStop};
use crate::commands::member::{OpenMember, Phone, member_account};
use crate::commands::order::{CancelOrder, PayOrder, PlaceOrder};
use crate::commands::reaction::{React, Wish};
use crate::events::Account;
use crate::events::cloth::Collection;
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind};
use crate::ledger::Freshness;

/// Their nicknames. Nobody has a password: one logs in as them by an SMS code.
const MEMBERS: [&str; 8] = [
    "沈知微",
    "陆观澜",
    "春风不度",
    "小楼听雨",
    "阿蛮",
    "半糖去冰",
    "山有木兮",
    "一只橘猫",
];

/// How an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody has paid yet.
    Waits,
    /// It is paid.
    Paid,
    /// Its owner gave it up.
    GivenUp,
    /// Staff cancelled it.
    Cancelled,
}

/// Who orders: of which project, from the cart or directly, which of its tickets, and how it ends.
const ORDERS: [(usize, usize, bool, &[usize], End); 14] = [
    (2, 0, false, &[0], End::Paid),
    (2, 2, false, &[0, 1], End::Paid),
    (2, 7, false, &[0, 1, 2], End::Waits),
    (3, 2, true, &[2], End::Paid),
    (3, 4, false, &[0, 1, 2, 3], End::GivenUp),
    (3, 4, false, &[0, 1], End::Paid),
    (4, 6, false, &[0], End::Paid),
    (4, 6, false, &[1], End::Cancelled),
    (4, 1, true, &[0, 1, 2, 3, 4], End::Waits),
    (5, 3, false, &[0], End::Paid),
    (5, 5, true, &[0, 1], End::Paid),
    (6, 7, true, &[3, 4], End::GivenUp),
    (6, 5, false, &[2], End::Waits),
    (0, 4, false, &[5], End::Paid),
];

/// What waits in carts: whose, of which project, which of its tickets.
const CARTS: [(usize, usize, &[usize]); 4] = [
    (2, 4, &[8, 9]),
    (5, 2, &[10]),
    (6, 6, &[10, 11]),
    (7, 0, &[10, 11, 12]),
];

impl Teller<'_> {
    /// Opens the accounts; answers the uids.
    pub(super) async fn members(&mut self) -> anyhow::Result<Vec<String>> {
        let mut uids = Vec::new();
        for (number, nickname) in (1..).zip(MEMBERS) {
            let what = format!("member/{number}");
            let uid = made_id(&what);
            // No phone of China has such a number.
            let phone = format!("100000000{number:02}");
            if let Some(phone) = Phone::new("86", &phone) {
                let open = OpenMember {
                    uid: uid.clone(),
                    phone_claim: phone.claim(self.desk.ledger().keys()),
                    phone,
                    nickname: nickname.to_owned(),
                    password_hash: None,
                };
                self.once(STAFF, &what, "Account", &open).await?;
            }
            uids.push(uid);
        }
        Ok(uids)
    }

    /// Lets the members do what they do.
    pub(super) async fn shop(&mut self, stock: &Stock, members: &[String]) -> anyhow::Result<()> {
        for (place, uid) in members.iter().enumerate() {
            let account = member_account(uid);
            let found = self
                .desk
                .ledger()
                .load::<Account>(&account, Freshness::Cached)
                .await?;
            if found.version == 0 {
                // Somebody else has the phone; then there is nobody to do it.
                continue;
            }
            self.follow_some(stock, place, uid).await?;
            self.like_some(stock, place, uid).await?;
        }
        for (number, (who, project, from_cart, places, end)) in (1..).zip(ORDERS) {
            let tickets = &stock.tickets[project];
            let tickets: Vec<i64> = places
                .iter()
                .filter_map(|at| tickets.get(*at))
                .copied()
                .collect();
            self.order(number, &members[who], from_cart, &tickets, end)
                .await?;
        }
        for (who, project, places) in CARTS {
            for place in places {
                if let Some(ticket) = stock.tickets[project].get(*place) {
                    self.put_into_cart(&members[who], *ticket, "kept").await?;
                }
            }
        }
        Ok(())
    }

    async fn follow_some(&mut self, stock: &Stock, place: usize, uid: &str) -> anyhow::Result<()> {
        let masters = stock.masters.iter().enumerate();
        let masters = masters.filter(|(at, _)| (place + at) % 3 != 2);
        let masters = masters.map(|(_, id)| (TargetKind::Master, id));
        let merchants = stock.merchants.iter().enumerate();
        let merchants = merchants.filter(|(at, _)| (place + at).is_multiple_of(2));
        let merchants = merchants.map(|(_, id)| (TargetKind::Merchant, id));
        let actor = member(uid);
        for (kind, id) in masters.chain(merchants) {
            let target = Target::new(kind, id);
            let what = format!("{actor}/follow/{target}");
            let command = FollowCommand {
                follower: actor.clone(),
                target,
                follow: true,
            };
            let follow = FollowOrStop { command };
            self.once(&actor.to_string(), &what, "Follow", &follow)
                .await?;
        }
        Ok(())
    }

    async fn like_some(&mut self, stock: &Stock, place: usize, uid: &str) -> anyhow::Result<()> {
        let actor = member(uid);
        let key = |kind, target| ReactionKey {
            actor: actor.clone(),
            kind,
            target,
        };
        let wish = Wish::Add(None);
        for (at, id) in stock.games.iter().enumerate() {
            for (kind, every) in [(ReactionKind::Like, 2), (ReactionKind::Collect, 3)] {
                if (place + at).is_multiple_of(every) {
                    let key = key(kind, Target::new(TargetKind::Game, id));
                    let what = key.to_string();
                    let react = React { key, wish };
                    self.once(&actor.to_string(), &what, "Reaction", &react)
                        .await?;
                }
            }
        }
        for (at, id) in stock.cloths.iter().enumerate() {
            if !(place + at).is_multiple_of(4) {
                continue;
            }
            let key = key(ReactionKind::Collect, Target::new(TargetKind::Cloth, id));
            let what = key.to_string();
            let collection = if at < DESIGN_CLOTHS {
                Collection::Design
            } else {
                Collection::Merchant
            };
            let collect = CollectCloth {
                key,
                wish,
                collection,
            };
            self.once(&actor.to_string(), &what, "Reaction", &collect)
                .await?;
        }
        Ok(())
    }

    async fn put_into_cart(&mut self, uid: &str, ticket_id: i64, why: &str) -> anyhow::Result<()> {
        let actor = member(uid).to_string();
        let what = format!("{actor}/cart/{ticket_id}/{why}");
        let add = AddToCart {
            uid: uid.to_owned(),
            ticket_id,
        };
        self.once(&actor, &what, "Cart", &add).await
    }

    async fn order(
        &mut self,
        number: usize,
        uid: &str,
        from_cart: bool,
        tickets: &[i64],
        end: End,
    ) -> anyhow::Result<()> {
        let actor = member(uid).to_string();
        let what = format!("order/{number}");
        let known = self.known(&what, "Order").and_then(|ids| ids.first());
        let order_id = if let Some(id) = known.and_then(|id| id.parse().ok()) {
            id
        } else {
            if from_cart {
                for ticket in tickets {
                    self.put_into_cart(uid, *ticket, &what).await?;
                }
            }
            let place = PlaceOrder {
                order_id: self.desk.ledger().next_id("order").await?,
                uid: uid.to_owned(),
                ticket_ids: tickets.iter().copied().collect(),
                from_cart,
            };
            let Some(order_id) = self.send(&actor, &what, &place).await? else {
                return Ok(());
            };
            self.sent.orders += 1;
            order_id
        };
        let what = format!("{what}/end");
        let cancel = |uid: Option<&str>, reason: Option<&str>| CancelOrder {
            order_id,
            uid: uid.map(str::to_owned),
            reason: reason.map(str::to_owned),
        };
        match end {
            End::Waits => Ok(()),
            End::Paid => {
                let pay = PayOrder {
                    order_id,
                    uid: Some(uid.to_owned()),
                    reference: Some(format!("{PREFIX}{order_id}")),
                };
                self.once(&actor, &what, "Order", &pay).await
            }
            End::GivenUp => {
                self.once(&actor, &what, "Order", &cancel(Some(uid), None))
                    .await
            }
            End::Cancelled => {
                self.once(STAFF, &what, "Order", &cancel(None, Some("客户来电")))
                    .await
            }
        }
    }
}

fn member(uid: &str) -> Party {
    Party::new(PartyKind::Member, uid)
}
