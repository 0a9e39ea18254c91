//! Everything at once: lists and details, and commands between them, at half of what the service can take.

use std::borrow::Cow;
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;

use super::article_detail::Detail;
use super::article_like::Like;
use super::article_list::Feed;
use super::task_create::CreateTask;
use super::task_list::{ListTasks, PAGE};
use super::{Bound, Row};
use crate::contest::{Metric, Standing, contest, median};
use crate::load::{Answer, Case};
use crate::report::{Figure, Report};
use crate::servers::{Community, Metrics, Service};
use crate::stage::{Stage, closed, paced};

/// Connections of the closed loop that finds the maximum.
const BUSY: usize = 64;

/// Connections that share the arrivals.
const CONNECTIONS: usize = 256;

/// The kinds of request whose latencies are told apart, and what their p99 must stay under, in milliseconds.
const PARTS: [(&str, f64); 2] = [("commands", 25.0), ("queries", 10.0)];

/// How soon the read tables must show an event, in milliseconds.
const LAG: f64 = 20.0;

/// The row.
pub struct Mixed;

#[async_trait(?Send)]
impl Row for Mixed {
    fn id(&self) -> &'static str {
        "mixed"
    }

    fn what(&self) -> &'static str {
        "70 % lists and details, 30 % commands, arrivals at half of the closed-loop maximum; latency from the scheduled time"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (span, rounds) = (stage.span(), stage.options.rounds);
        stage.strangers(span.all(rounds * 2)).await?;
        let shown = PAGE.min(stage.options.seed_tasks);
        let Some((service, ours)) = stage.ours() else {
            return Ok(());
        };
        let ops = ours.ops();
        let case: Rc<dyn Case> = Rc::new(Mixture::new(service, shown)?);
        let mut alone = [closed(service, Rc::clone(&case))];
        for standing in contest(&mut alone, BUSY, rounds, span).await? {
            report.state(self, standing);
        }
        drop(alone);
        let most = maximum(report).context("no maximum")?;
        let (mut tallies, mut lags) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let before = Metrics::read(ops).await?.delays()?;
            let mut one = [paced(service, Rc::clone(&case), most / 2.0)];
            for standing in contest(&mut one, CONNECTIONS, 1, span).await? {
                tallies.extend(standing.rounds);
            }
            let after = Metrics::read(ops).await?.delays()?;
            lags.extend(after.quantile_ms_since(&before, 0.99));
        }
        let paced = Standing::of("paced", CONNECTIONS, tallies);
        self.figures(report, &paced);
        report.figure(Figure {
            id: format!("{}.lag.p99", self.id()),
            what: format!(
                "mixed load at half of the maximum: from recorded to shown, p99 (of its bucket the upper bound) ÷ {LAG} ms"
            ),
            value: median(lags),
            unit: "ms",
            baseline: Some(LAG),
            bound: Some(Bound::AtMost(1.0)),
        });
        report.keep(self, paced);
        Ok(())
    }
}

impl Mixed {
    fn figures(&self, report: &mut Report, paced: &Standing) {
        let mut figure = |part: &str, metric: Metric, quantile, wanted: Option<f64>| {
            let name = metric.name();
            let against = wanted.map_or(String::new(), |wanted| format!(" ÷ {wanted} ms"));
            report.figure(Figure {
                id: format!("{}.{CONNECTIONS}.{part}.{name}", self.id()),
                what: format!("mixed load at half of the maximum, {part}: {name}{against}"),
                value: paced.median_of(part, quantile),
                unit: metric.unit(),
                baseline: wanted,
                bound: wanted.map(|_| Bound::AtMost(1.0)),
            });
        };
        for (part, wanted) in PARTS {
            figure(part, Metric::P50, 0.50, None);
            figure(part, Metric::P99, 0.99, Some(wanted));
        }
    }
}

/// The closed-loop maximum, when it was measured.
pub fn maximum(report: &Report) -> Option<f64> {
    report.best(Mixed.id(), "ours", Metric::Throughput)
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Feed,
    Detail,
    Tasks,
    Like,
    Create,
    Comment,
}

impl Kind {
    /// Of a hundred requests.
    const SHARES: [(Self, u64); 6] = [
        (Self::Feed, 30),
        (Self::Detail, 20),
        (Self::Tasks, 20),
        (Self::Like, 15),
        (Self::Create, 10),
        (Self::Comment, 5),
    ];

    fn drawn(mut lot: u64) -> Self {
        for (kind, share) in Self::SHARES {
            if lot < share {
                return kind;
            }
            lot -= share;
        }
        Self::Comment
    }
}

/// The cases of other rows, each as often as it is its turn.
pub struct Mixture {
    feed: Feed,
    detail: Detail,
    tasks: ListTasks,
    like: Like,
    create: CreateTask,
    comment: Comment,
}

impl Mixture {
    /// For our service, whose first page of tasks shows so many.
    ///
    /// # Errors
    ///
    /// When nobody lives there.
    pub fn new(service: &Service, tasks: usize) -> Result<Self> {
        let community = service.community.clone().context("no community")?;
        Ok(Self {
            feed: Feed::new(&community),
            detail: Detail::new(&community),
            tasks: ListTasks::new(&service.wire, tasks),
            like: Like::new(service),
            create: CreateTask::new(&service.wire),
            comment: Comment {
                community,
                asked: Cell::new(0),
            },
        })
    }

    /// What the `nth` request is, and its number in the case of that kind. Both are drawn, but always the same: in an open
    /// loop requests have no connection of their own, and their members shall be as many as in a closed one.
    fn drawn(nth: u64) -> (Kind, u64) {
        let lot = scattered(nth);
        (
            Kind::drawn(lot % 100),
            (lot >> 40) << 32 | nth & 0xffff_ffff,
        )
    }

    fn case(&self, kind: Kind) -> &dyn Case {
        match kind {
            Kind::Feed => &self.feed,
            Kind::Detail => &self.detail,
            Kind::Tasks => &self.tasks,
            Kind::Like => &self.like,
            Kind::Create => &self.create,
            Kind::Comment => &self.comment,
        }
    }
}

/// A comment under one of the articles that are liked, each in turn.
struct Comment {
    community: Rc<Community>,
    asked: Cell<usize>,
}

#[async_trait(?Send)]
impl Case for Comment {
    fn request(&self, _nth: u64) -> Option<Cow<'_, [u8]>> {
        let nth = self.asked.replace(self.asked.get() + 1);
        let (members, articles) = (&self.community.members, self.community.written());
        let article = articles[nth % articles.len()];
        let body = format!(r#"{{"article_id":{article},"content":"桃花开得正好，下回同去。"}}"#);
        let member = &members[nth % members.len()];
        let path = "/community/api/v1/article_comment_publish";
        Some(Cow::Owned(member.post(path, &body)))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        self.community.commented();
        Ok(None)
    }

    /// The comments that are shown are those that were acknowledged.
    async fn check(&self, address: SocketAddr) -> Result<()> {
        let shown = self.community.feed(address).await?;
        let shown: i64 = shown.iter().map(|article| article.comments).sum();
        let comments = i64::try_from(self.community.comments.get())?;
        ensure!(
            shown == comments,
            "{shown} comments are shown and {comments} were acknowledged"
        );
        Ok(())
    }
}

/// Numbers that follow each other, far apart (the finalizer of `SplitMix64`).
const fn scattered(nth: u64) -> u64 {
    let mut lot = nth.wrapping_add(0x9e37_79b9_7f4a_7c15);
    lot = (lot ^ (lot >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    lot = (lot ^ (lot >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    lot ^ (lot >> 31)
}

#[async_trait(?Send)]
impl Case for Mixture {
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        let (kind, nth) = Self::drawn(nth);
        self.case(kind).request(nth)
    }

    fn judge(&self, nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        let (kind, nth) = Self::drawn(nth);
        self.case(kind).judge(nth, answer)
    }

    fn part(&self, nth: u64) -> Option<&'static str> {
        let [(commands, _), (queries, _)] = PARTS;
        Some(match Self::drawn(nth).0 {
            Kind::Feed | Kind::Detail | Kind::Tasks => queries,
            Kind::Like | Kind::Create | Kind::Comment => commands,
        })
    }

    async fn check(&self, address: SocketAddr) -> Result<()> {
        self.like.check(address).await?;
        self.comment.check(address).await
    }
}
