//! Articles of the community with what they were given: likes, collections, comments.

mod queries;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{
    ArticleDetail, ArticleItem, Feed, Feeds, collected, details, feed, of_followed, of_reader,
};

use super::{FoldError, Handling, Projection, at, number};
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::ReactionKind;
use crate::events::{ArticleEvent, CommentEvent, Event, Fact, ReactionEvent};

/// The read model `articles`.
pub struct Articles;

#[async_trait]
impl Projection for Articles {
    fn name(&self) -> &'static str {
        "articles"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Article", "Comment", "Reaction"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Article(event) => match event {
                ArticleEvent::ArticlePublished { .. } | ArticleEvent::ArticleDeleted { .. } => {
                    Handling::Handled
                }
            },
            Event::Comment(event) => match event {
                CommentEvent::CommentPublished { .. } | CommentEvent::CommentDeleted { .. } => {
                    Handling::Handled
                }
            },
            Event::Reaction(event) => match event {
                ReactionEvent::ReactionAdded { .. } | ReactionEvent::ReactionRemoved { .. } => {
                    Handling::Handled
                }
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

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    made: Vec<Made<'f>>,
    removed: Vec<i64>,
    /// What they were given, also where it comes to nothing: a row is there as soon as anything happened.
    counts: BTreeMap<i64, Counts>,
}

/// An article of this batch.
struct Made<'f> {
    id: i64,
    position: i64,
    created_at: DateTime<Utc>,
    author: &'f str,
    content: &'f str,
    images: &'f [String],
}

/// By how much the counters move.
#[derive(Default)]
struct Counts {
    likes: i64,
    collects: i64,
    comments: i64,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        match &fact.event {
            Event::Article(event) => {
                let id = number(fact, &fact.place.stream.id)?;
                self.article(id, fact, event);
            }
            Event::Comment(event) => {
                let (target, step) = match event {
                    CommentEvent::CommentPublished { target, .. } => (target, 1),
                    CommentEvent::CommentDeleted { target, .. } => (target, -1),
                };
                if let Some(counts) = self.counts(fact, target)? {
                    counts.comments += step;
                }
            }
            Event::Reaction(event) => {
                let (kind, target, step) = match event {
                    ReactionEvent::ReactionAdded { kind, target, .. } => (kind, target, 1),
                    ReactionEvent::ReactionRemoved { kind, target, .. } => (kind, target, -1),
                };
                if let Some(counts) = self.counts(fact, target)? {
                    match kind {
                        ReactionKind::Like => counts.likes += step,
                        ReactionKind::Collect => counts.collects += step,
                        ReactionKind::Praise | ReactionKind::Sign | ReactionKind::Vote => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn article(&mut self, id: i64, fact: &'f Fact, event: &'f ArticleEvent) {
        match event {
            ArticleEvent::ArticlePublished {
                author,
                content,
                images,
            } => self.made.push(Made {
                id,
                position: fact.place.position,
                created_at: at(fact),
                author,
                content,
                images,
            }),
            ArticleEvent::ArticleDeleted { .. } => self.removed.push(id),
        }
    }

    /// The counters of a target, if that is an article.
    fn counts(&mut self, fact: &Fact, target: &Target) -> Result<Option<&mut Counts>, FoldError> {
        if target.kind != TargetKind::Article {
            return Ok(None);
        }
        let id = number(fact, &target.id)?;
        Ok(Some(self.counts.entry(id).or_default()))
    }

    /// An article is deleted after it was published, and for good: those of this batch that go again come first.
    async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.made.is_empty() {
            insert(tx, &self.made).await?;
        }
        if !self.removed.is_empty() {
            sqlx::query!("DELETE FROM articles WHERE id = ANY($1)", &self.removed)
                .execute(&mut *tx)
                .await?;
        }
        if !self.counts.is_empty() {
            count(tx, self.counts).await?;
        }
        Ok(())
    }
}

async fn insert(tx: &mut PgConnection, made: &[Made<'_>]) -> sqlx::Result<()> {
    let ids: Vec<i64> = made.iter().map(|article| article.id).collect();
    let positions: Vec<i64> = made.iter().map(|article| article.position).collect();
    let times: Vec<_> = made.iter().map(|article| article.created_at).collect();
    let text = |text: &str| text.to_owned();
    let authors: Vec<String> = made.iter().map(|article| text(article.author)).collect();
    let contents: Vec<String> = made.iter().map(|article| text(article.content)).collect();
    // Lists of different lengths do not unnest: each picture comes with the place of its article.
    let mut pictures: (Vec<i64>, Vec<String>) = Default::default();
    for article in made {
        for image in article.images {
            pictures.0.push(article.id);
            pictures.1.push(image.clone());
        }
    }
    sqlx::query!(
        "WITH pictures AS (
             SELECT p.article_id, array_agg(p.image ORDER BY p.place) AS images
             FROM unnest($6::bigint[], $7::text[]) WITH ORDINALITY AS p(article_id, image, place)
             GROUP BY p.article_id
         )
         INSERT INTO articles (id, position, created_at, author, content, images)
         SELECT n.id, n.position, n.created_at, n.author, n.content, coalesce(p.images, '{}')
         FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[])
              AS n(id, position, created_at, author, content)
         LEFT JOIN pictures p ON p.article_id = n.id",
        &ids,
        &positions,
        &times,
        &authors,
        &contents,
        &pictures.0,
        &pictures.1,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn count(tx: &mut PgConnection, counts: BTreeMap<i64, Counts>) -> sqlx::Result<()> {
    let ids: Vec<i64> = counts.keys().copied().collect();
    let likes: Vec<i64> = counts.values().map(|counts| counts.likes).collect();
    let collects: Vec<i64> = counts.values().map(|counts| counts.collects).collect();
    let comments: Vec<i64> = counts.values().map(|counts| counts.comments).collect();
    sqlx::query!(
        "INSERT INTO article_counts AS c (article_id, like_count, collect_count, comment_count)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[])
         ON CONFLICT (article_id) DO UPDATE
         SET like_count = c.like_count + EXCLUDED.like_count,
             collect_count = c.collect_count + EXCLUDED.collect_count,
             comment_count = c.comment_count + EXCLUDED.comment_count",
        &ids,
        &likes,
        &collects,
        &comments,
    )
    .execute(tx)
    .await?;
    Ok(())
}
