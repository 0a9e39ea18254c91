//! A stream that has grown long: one more command costs what it costs on a short one.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::contention::{CART_OF, issue};
use super::{Bound, Row};
use crate::contest::{Metric, Standing, contest};
use crate::load::{Answer, Case, lane, spread, success};
use crate::report::{Figure, Report};
use crate::servers::Wire;
use crate::stage::{Stage, closed};

/// The row.
pub struct LongStream;

#[async_trait(?Send)]
impl Row for LongStream {
    fn id(&self) -> &'static str {
        "long_stream"
    }

    fn what(&self) -> &'static str {
        "one more command to a cart of 10,000 events (--long-stream), beside carts of a few"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let Some(community) = stage.our_community() else {
            return Ok(());
        };
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let events = stage.options.long_stream;
        let ours = stage.ours.as_mut().context("no ours")?;
        let ticket = issue(ours.address, &ours.wire, &community, 1).await?[0];
        let owner = community.members[CART_OF].clone();
        let add = owner.post(ADD, &body(ticket));
        let began = Instant::now();
        // One after the other: two at once would meet on the stream, and one of them might be refused.
        let count = usize::try_from(events)?;
        spread(ours.address, 1, count, |_| add.clone(), success).await?;
        eprintln!(
            "  {events} events in {:.1} s",
            began.elapsed().as_secs_f64()
        );

        let others = &community.members[CART_OF + 1..];
        let long: Rc<dyn Case> = Rc::new(Additions::of(&[owner], ticket));
        let fresh: Rc<dyn Case> = Rc::new(Additions::of(others, ticket));
        let mut standings = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (case, rounds) in [&long, &fresh].into_iter().zip(&mut standings) {
                let mut contenders = [closed(ours, Rc::clone(case))];
                for standing in contest(&mut contenders, 1, 1, span).await? {
                    rounds.extend(standing.rounds);
                }
            }
        }
        let [long, fresh] = standings;
        let long = Standing::of("long", 1, long);
        let fresh = Standing::of("fresh", 1, fresh);
        report.figure(Figure {
            id: format!("{}.1.p50", self.id()),
            what: format!(
                "one more command to a stream of {events} events: p50 ÷ that of a fresh stream"
            ),
            value: long.median(Metric::P50),
            unit: Metric::P50.unit(),
            baseline: Some(fresh.median(Metric::P50)),
            bound: Some(Bound::AtMost(1.5)),
        });
        report.keep(self, long);
        report.keep(self, fresh);
        Ok(())
    }
}

const ADD: &str = "/community/api/v1/shopping_cart_add";

fn body(ticket: i64) -> String {
    format!(r#"{{"ticket_id":{ticket}}}"#)
}

/// Puts one ticket into carts; what is in a cart already moves its time, which is an event.
struct Additions {
    requests: Vec<Vec<u8>>,
}

impl Additions {
    fn of(members: &[Wire], ticket: i64) -> Self {
        let body = body(ticket);
        Self {
            requests: members.iter().map(|one| one.post(ADD, &body)).collect(),
        }
    }
}

impl Case for Additions {
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        let turn = usize::try_from(nth - (lane(nth) << 32)).unwrap_or(0);
        Some(Cow::Borrowed(&self.requests[turn % self.requests.len()]))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        Ok(None)
    }
}
