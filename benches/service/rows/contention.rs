//! Everybody wants the same: what is left of the throughput, and that nobody hears anything but a documented answer.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;

use super::Row;
use crate::contest::contest;
use crate::load::{Answer, Case, Span, ask, lane, number_after, numbers_after, spread};
use crate::report::Report;
use crate::servers::community::made;
use crate::servers::{Community, Wire};
use crate::stage::{Stage, closed};

/// Loads ours alone with a case, and states what came of it.
async fn alone(
    row: &dyn Row,
    stage: &mut Stage,
    report: &mut Report,
    connections: usize,
    case: Rc<dyn Case>,
) -> Result<()> {
    let (span, rounds) = (stage.span(), stage.options.rounds);
    let ours = stage.ours.as_mut().context("ours does not take part")?;
    let mut contenders = [closed(ours, case)];
    let standings = contest(&mut contenders, connections, rounds, span).await?;
    for standing in standings {
        report.state(row, standing);
    }
    Ok(())
}

/// Which code an answer has, when it is one of those that the contract documents for what was asked.
fn documented(answer: &Answer<'_>, codes: &[i64]) -> Result<i64, String> {
    match number_after(answer.body, b"\"code\":") {
        Some(code) if answer.status == 200 && codes.contains(&code) => Ok(code),
        _ => Err(format!("HTTP {}: {}", answer.status, answer.excerpt())),
    }
}

/// How many people are at it: as many as asked for, or as there are.
fn people(wanted: usize, community: &Community) -> usize {
    wanted.min(community.members.len())
}

/// Everybody likes one article, and takes it back.
pub struct LikeOneArticle;

#[async_trait(?Send)]
impl Row for LikeOneArticle {
    fn id(&self) -> &'static str {
        "like_one_article"
    }

    fn what(&self) -> &'static str {
        "256 members like one article, take it back, like it again"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let Some(community) = stage.our_community() else {
            return Ok(());
        };
        let connections = people(256, &community);
        // The oldest: none of the fans of before likes it.
        let place = community.articles.len() - 1;
        let article = community.articles[place];
        let ours = stage.ours.as_ref().context("no ours")?;
        let before = community.feed(ours.address).await?[place].likes;
        let likes = Toggles {
            community: Rc::clone(&community),
            place,
            body: format!(r#"{{"article_id":{article}}}"#),
            before: Cell::new(before),
        };
        alone(self, stage, report, connections, Rc::new(likes)).await
    }
}

struct Toggles {
    community: Rc<Community>,
    place: usize,
    body: String,
    before: Cell<i64>,
}

#[async_trait(?Send)]
impl Case for Toggles {
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        let members = &self.community.members;
        let member = &members[usize::try_from(lane(nth)).unwrap_or(0) % members.len()];
        let function = if nth.is_multiple_of(2) {
            "/community/api/v1/article_like"
        } else {
            "/community/api/v1/article_unlike"
        };
        Some(Cow::Owned(member.post(function, &self.body)))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        Ok(None)
    }

    /// The count is between nobody and everybody, and it is the number of those who are told that they like it.
    async fn check(&self, address: SocketAddr) -> Result<()> {
        let (members, place) = (&self.community.members, self.place);
        let shown = self.community.feed(address).await?[place].likes;
        let path = format!("/community/api/v1/article_list?limit=1&offset={place}");
        let request = |nth: usize| members[nth].get(&path);
        let told = spread(address, 8, members.len(), request, |answer| {
            answer.expect_success()?;
            Ok(crate::load::count(answer.body, b"\"is_like\":true"))
        });
        let told: usize = told.await?.into_iter().sum();
        ensure!(
            usize::try_from(shown)? == told,
            "{shown} likes are counted and {told} members are told that they like it"
        );
        // The sum over all articles stays comparable for the other rows.
        let more = shown - self.before.replace(shown);
        let likes = &self.community.likes;
        likes.set(likes.get().saturating_add_signed(more));
        Ok(())
    }
}

/// One cart, edited from everywhere at once.
pub struct EditOneCart;

/// The cart that everybody edits belongs to this member.
pub const CART_OF: usize = 1;

#[async_trait(?Send)]
impl Row for EditOneCart {
    fn id(&self) -> &'static str {
        "edit_one_cart"
    }

    fn what(&self) -> &'static str {
        "64 clients put tickets into one cart and take them out"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let Some(community) = stage.our_community() else {
            return Ok(());
        };
        let ours = stage.ours.as_ref().context("no ours")?;
        let tickets = issue(ours.address, &ours.wire, &community, 64).await?;
        let cart = Rc::new(OneCart {
            member: community.members[CART_OF].clone(),
            tickets,
            refused: Cell::new(0),
            inside: RefCell::default(),
        });
        alone(self, stage, report, 64, Rc::clone(&cart) as Rc<dyn Case>).await?;
        report.note(format!(
            "{}: {} edits were refused with 409, as documented",
            self.id(),
            cart.refused.get()
        ));
        Ok(())
    }
}

/// Issues tickets of the community's project.
///
/// # Errors
///
/// When staff is refused.
pub async fn issue(
    address: SocketAddr,
    staff: &Wire,
    community: &Community,
    wanted: usize,
) -> Result<Vec<i64>> {
    let project = community.project;
    let body = format!(
        r#"{{"CreateTicket":{{"project_id":{project},"name":"雅集一席","image":"bench/001.jpg","price":1999}}}}"#
    );
    let request = |_| staff.post("/admin/commands/Ticket/new", &body);
    let ids = spread(address, 64, wanted, request, |answer| {
        made(answer)?.parse().map_err(|_| answer.excerpt())
    });
    ids.await.context("tickets")
}

struct OneCart {
    member: Wire,
    /// One for each client.
    tickets: Vec<i64>,
    refused: Cell<u64>,
    /// Whether a client's ticket is in the cart, as far as it was told.
    inside: RefCell<BTreeMap<i64, bool>>,
}

impl OneCart {
    fn ticket(&self, nth: u64) -> i64 {
        self.tickets[usize::try_from(lane(nth)).unwrap_or(0) % self.tickets.len()]
    }
}

#[async_trait(?Send)]
impl Case for OneCart {
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        let function = if nth.is_multiple_of(2) {
            "/community/api/v1/shopping_cart_add"
        } else {
            "/community/api/v1/shopping_cart_del"
        };
        let body = format!(r#"{{"ticket_id":{}}}"#, self.ticket(nth));
        Some(Cow::Owned(self.member.post(function, &body)))
    }

    fn judge(&self, nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        if documented(answer, &[0, 409])? == 0 {
            let inside = nth.is_multiple_of(2);
            self.inside.borrow_mut().insert(self.ticket(nth), inside);
        } else {
            self.refused.set(self.refused.get() + 1);
        }
        Ok(None)
    }

    /// The cart holds what its clients were told it does.
    async fn check(&self, address: SocketAddr) -> Result<()> {
        let request = self.member.get("/community/api/v1/shopping_cart_info");
        let mut shown = ask(address, &request, |answer| {
            answer.expect_success()?;
            Ok(numbers_after(answer.body, b"\"ticket_id\":"))
        })
        .await?;
        shown.sort_unstable();
        let inside = self.inside.borrow();
        let told: Vec<i64> = inside
            .iter()
            .filter_map(|(ticket, inside)| inside.then_some(*ticket))
            .collect();
        ensure!(
            shown == told,
            "the cart shows {shown:?} instead of {told:?}"
        );
        Ok(())
    }
}

/// Two hundred buyers, one ticket.
pub struct BuyOneTicket;

/// How many buyers want each ticket.
const BUYERS: usize = 200;

#[async_trait(?Send)]
impl Row for BuyOneTicket {
    fn id(&self) -> &'static str {
        "buy_one_ticket"
    }

    fn what(&self) -> &'static str {
        "200 buyers order one ticket at once; then the next ticket"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let Some(community) = stage.our_community() else {
            return Ok(());
        };
        let buyers = people(BUYERS, &community);
        let ours = stage.ours.as_ref().context("no ours")?;
        let race = Race {
            community,
            staff: ours.wire.clone(),
            buyers,
            tickets: RefCell::default(),
            asked: Cell::new(0),
            sold: RefCell::default(),
        };
        alone(self, stage, report, buyers, Rc::new(race)).await
    }
}

struct Race {
    community: Rc<Community>,
    staff: Wire,
    buyers: usize,
    tickets: RefCell<Vec<i64>>,
    asked: Cell<usize>,
    /// The orders of the round.
    sold: RefCell<Vec<i64>>,
}

#[async_trait(?Send)]
impl Case for Race {
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        let asked = self.asked.get();
        let ticket = *self.tickets.borrow().get(asked / self.buyers)?;
        self.asked.set(asked + 1);
        let members = &self.community.members;
        let buyer = &members[usize::try_from(lane(nth)).unwrap_or(0) % members.len()];
        let body = format!(r#"{{"ticket_id_list":[{ticket}]}}"#);
        Some(Cow::Owned(
            buyer.post("/community/api/v1/order_create", &body),
        ))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        if documented(answer, &[0, 464])? == 0 {
            let order = number_after(answer.body, b"\"order_id\":");
            let order = order.ok_or_else(|| format!("no order: {}", answer.excerpt()))?;
            self.sold.borrow_mut().push(order);
        }
        Ok(None)
    }

    /// Issues tickets, as many as half a million orders in ten seconds would take.
    async fn prepare(&self, address: SocketAddr, span: Span) -> Result<()> {
        let seconds = (span.warmup + span.measured).as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of tickets"
        )]
        let wanted = (seconds * 50_000.0) as usize / self.buyers;
        let tickets = issue(address, &self.staff, &self.community, wanted).await?;
        self.tickets.replace(tickets);
        self.asked.set(0);
        self.sold.take();
        Ok(())
    }

    /// Every ticket that was asked for was sold, and none twice.
    async fn check(&self, _address: SocketAddr) -> Result<()> {
        let asked = self.asked.get().div_ceil(self.buyers);
        let mut orders = self.sold.borrow().clone();
        let sold = orders.len();
        orders.sort_unstable();
        orders.dedup();
        ensure!(
            sold == asked && orders.len() == sold,
            "{asked} tickets were asked for, {sold} were sold in {} orders",
            orders.len()
        );
        Ok(())
    }
}
