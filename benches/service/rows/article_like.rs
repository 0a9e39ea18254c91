//! The like: pairs of members and articles that never met, each member with its own token.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;

use super::{Bound, Goal, Row};
use crate::contest::{Metric, contest};
use crate::load::{Answer, Case, ask, number_after};
use crate::report::{Figure, Report};
use crate::servers::{Community, Service};
use crate::stage::Stage;

/// One event of a like inserted in one transaction: what the bare database does for a write. `pgbench` takes every letter after
/// a colon for the beginning of a variable, so the name of the stream is put together.
const INSERT: &str = r#"\set id random(1, 9000000000000000)
INSERT INTO events (event_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, recorded_at, chain)
VALUES (gen_random_uuid(), 'Reaction', 'member:7c9e6679742540de944be07fc1f90ae7:' || 'like:' || 'article:' || :id::text, 1, 'ReactionAdded', '1',
    '{"actor":{"kind":"member","id":"7c9e6679742540de944be07fc1f90ae7"},"kind":"like","target":{"kind":"article","id":"1234"}}',
    '{"actor":"member:7c9e6679742540de944be07fc1f90ae7","surface":"community","request_id":"0192f0c1-2345-7000-8000-0123456789ab","at":1767225600000}',
    now(), '\x8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92');
"#;

const GOALS: [Goal; 3] = [
    Goal {
        connections: 256,
        ours: Metric::Throughput,
        against: "stock",
        theirs: Metric::Throughput,
        bound: Bound::AtLeast(10.0),
    },
    Goal {
        connections: 256,
        ours: Metric::P99,
        against: "stock",
        theirs: Metric::P50,
        bound: Bound::AtMost(1.0),
    },
    Goal {
        connections: 1,
        ours: Metric::P50,
        against: "pgbench",
        theirs: Metric::P50,
        bound: Bound::AtMost(4.0),
    },
];

/// Each at its best number of connections.
const BEST_AGAINST_PGBENCH: Bound = Bound::AtLeast(1.3);

/// The row.
pub struct ArticleLike;

#[async_trait(?Send)]
impl Row for ArticleLike {
    fn id(&self) -> &'static str {
        "article_like"
    }

    fn what(&self) -> &'static str {
        "like an article, pairs that never met, answered when durable and counted; pgbench: one-row insert into a bare events table"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let before = Size::of(stage).await?;
        for connections in stage.options.connections.clone() {
            let mut contenders = stage.contenders(
                |service| Rc::new(Like::new(service)),
                ("article_like", INSERT),
            )?;
            let standings = contest(&mut contenders, connections, rounds, span).await?;
            drop(contenders);
            report.compare(self, standings, &GOALS);
        }
        report.compare_best(self, "pgbench", Some(BEST_AGAINST_PGBENCH));
        let after = Size::of(stage).await?;
        if let Some(value) = Size::each(before.ours, after.ours) {
            report.figure(Figure {
                id: format!("{}.bytes", self.id()),
                what: "bytes of database for each like: events, indexes, read tables".to_owned(),
                value,
                unit: "B",
                baseline: Size::each(before.stock, after.stock),
                bound: Some(Bound::AtMost(1.0)),
            });
        }
        Ok(())
    }
}

/// How many likes are in how many bytes.
struct Size {
    ours: Option<(i64, u64)>,
    stock: Option<(i64, u64)>,
}

impl Size {
    async fn of(stage: &Stage) -> Result<Self> {
        let (ours, stock) = stage.database_bytes().await?;
        let likes = |service: &Option<Service>| {
            let community = service.as_ref()?.community.as_ref()?;
            Some(community.likes.get())
        };
        Ok(Self {
            ours: ours.zip(likes(&stage.ours)),
            stock: stock.zip(likes(&stage.stock)),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^52")]
    fn each(before: Option<(i64, u64)>, after: Option<(i64, u64)>) -> Option<f64> {
        let ((bytes, likes), (bytes_after, likes_after)) = before.zip(after)?;
        (likes_after > likes).then(|| (bytes_after - bytes) as f64 / (likes_after - likes) as f64)
    }
}

/// A like by a member and of an article that have not met.
pub struct Like {
    community: Option<Rc<Community>>,
    ours: bool,
}

impl Like {
    /// In one of the services.
    #[must_use]
    pub fn new(service: &Service) -> Self {
        Self {
            community: service.community.clone(),
            ours: service.is_ours(),
        }
    }
}

#[async_trait(?Send)]
impl Case for Like {
    fn request(&self, _nth: u64) -> Option<Cow<'_, [u8]>> {
        let (member, article) = self.community.as_ref()?.next_pair()?;
        let body = format!(r#"{{"article_id":{article}}}"#);
        let request = member.post("/community/api/v1/article_like", &body);
        Some(Cow::Owned(request))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        if let Some(community) = &self.community {
            community.liked();
        }
        Ok(None)
    }

    /// The likes that are shown are those that were acknowledged.
    async fn check(&self, address: SocketAddr) -> Result<()> {
        let community = self.community.as_ref().context("no community")?;
        let shown = if self.ours {
            let articles = community.feed(address).await?;
            articles.iter().map(|article| article.likes).sum()
        } else {
            let request = community.members[0].get("/community/api/v1/article_like_total");
            ask(address, &request, |answer| {
                answer.expect_success()?;
                number_after(answer.body, b"\"total\":").ok_or_else(|| answer.excerpt())
            })
            .await?
        };
        let likes = i64::try_from(community.likes.get())?;
        ensure!(
            shown == likes,
            "{shown} likes are shown and {likes} were acknowledged"
        );
        Ok(())
    }
}
