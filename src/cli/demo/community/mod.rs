//! What members of the data set write to everybody and to each other: articles, what is said under them, likes, collections,
//! private messages. A few articles are on everybody's lips and most are not, as it is.
//!
//! They are the same whatever the seed; how many members there are follows from the size of the data set (`plan.rs`). Every command has a correlation of its own, `demo/community/…`, and what the
//! log knows under it is not sent again. What does not build on each other is sent at once, so that the first start is quick.

mod plan;
mod texts;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::anyhow;
use data_encoding::HEXLOWER;
use futures::future::{self, BoxFuture, FutureExt};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use super::fill::{PATIENCE, SURFACE, receipt};
use crate::commands::article::PublishArticle;
use crate::commands::comment::{PublishComment, ReplyToComment};
use crate::commands::follow::{FollowCommand, FollowOrStop};
use crate::commands::member::{OpenMember, Phone, member_account};
use crate::commands::message::SendText;
use crate::commands::reaction::{React, VoteOnComment, Wish};
use crate::commands::{Desk, DeskError, Operation, Request};
use crate::events::Account;
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::reaction::{ReactionKey, Vote};
use crate::ledger::{Freshness, Metadata};

use plan::Plan;

/// What correlations begin with.
const PREFIX: &str = "demo/community/";
/// Who acts where no member does.
const STAFF: &str = "system:demo";
/// Commands on their way at once.
const AT_ONCE: usize = 64;

/// At least and at most so many members: a small data set has few, so that trying it out is quick.
const MEMBERS: std::ops::RangeInclusive<usize> = 60..=2_000;

/// How many members go with so many tasks.
#[must_use]
pub fn members(tasks: u32) -> usize {
    let tasks = usize::try_from(tasks).unwrap_or(usize::MAX);
    tasks.clamp(*MEMBERS.start(), *MEMBERS.end())
}

/// What a run has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Articles published now.
    pub articles: u64,
    /// Commands accepted now, those among them.
    pub commands: u64,
}

struct Teller<'d> {
    desk: &'d Desk,
    /// The ids of what the log knows, by correlation.
    told: HashMap<String, String>,
    commands: AtomicU64,
    articles: AtomicU64,
}

/// Sends what so many members do, as far as it is missing.
///
/// # Errors
/// When something breaks; what was sent stays.
pub async fn fill(desk: &Desk, members: usize) -> anyhow::Result<Sent> {
    let traces = desk.ledger().traces(SURFACE, PREFIX).await?.into_iter();
    let teller = Teller {
        desk,
        told: traces
            .map(|trace| (trace.correlation, trace.stream.id))
            .collect(),
        commands: AtomicU64::new(0),
        articles: AtomicU64::new(0),
    };
    teller.tell(&Plan::make(members), members).await?;
    Ok(Sent {
        articles: teller.articles.into_inner(),
        commands: teller.commands.into_inner(),
    })
}

type Work<'a, T> = BoxFuture<'a, anyhow::Result<T>>;

/// Many at once; the answers in order.
async fn all<T: Send>(works: Vec<Work<'_, T>>) -> anyhow::Result<Vec<T>> {
    stream::iter(works).buffered(AT_ONCE).try_collect().await
}

impl Teller<'_> {
    async fn tell(&self, plan: &Plan, members: usize) -> anyhow::Result<()> {
        let members: Vec<Work<'_, _>> = (0..members)
            .map(|place| self.member(place).boxed())
            .collect();
        let members = all(members).await?;
        let articles = self.articles(plan, &members).await?;
        let mut follows: Vec<Work<'_, ()>> = Vec::new();
        for (who, whom) in &plan.follows {
            if let Some((who, whom)) = members[*who].as_deref().zip(members[*whom].as_deref()) {
                let what = format!("follow/{who}/{whom}");
                let command = FollowCommand {
                    follower: Party::new(PartyKind::Member, who),
                    target: Target::new(TargetKind::User, whom),
                    follow: true,
                };
                let follow = FollowOrStop { command };
                follows.push(self.once(by(who), what, follow).boxed());
            }
        }
        all(follows).await?;
        let comments = self.comments(plan, &members, &articles).await?;
        self.reactions(plan, &members, &articles).await?;
        self.votes(plan, &members, &comments).await?;
        let mut talks: Vec<Work<'_, ()>> = Vec::new();
        for (number, talk) in plan.talks.iter().enumerate() {
            talks.push(self.talk(number, talk, &members).boxed());
        }
        all(talks).await?;
        Ok(())
    }

    /// Opens an account, unless somebody else has the phone; then there is nobody to do anything.
    async fn member(&self, place: usize) -> anyhow::Result<Option<String>> {
        let what = format!("member/{place}");
        let uid = made_id(&what);
        // No phone of China has such a number.
        if let Some(phone) = Phone::new("86", &format!("1000{:07}", 1_000 + place)) {
            let open = OpenMember {
                uid: uid.clone(),
                phone_claim: phone.claim(self.desk.ledger().keys()),
                phone,
                nickname: plan::nickname(place),
                password_hash: None,
            };
            self.once(STAFF.to_owned(), what, open).await?;
        }
        let account = member_account(&uid);
        let found = self.desk.ledger();
        let found = found.load::<Account>(&account, Freshness::Cached).await?;
        Ok((found.version > 0).then_some(uid))
    }

    /// Publishes the articles; answers the ids of those that are there.
    async fn articles(
        &self,
        plan: &Plan,
        members: &[Option<String>],
    ) -> anyhow::Result<Vec<Option<i64>>> {
        let mut works: Vec<Work<'_, Option<i64>>> = Vec::new();
        for (number, article) in plan.articles.iter().enumerate() {
            let what = format!("article/{number}");
            // Ids are taken one after the other, so that they follow the plan.
            let id = self.id(&what, "article").await?;
            let Some(author) = members[article.author].clone() else {
                works.push(future::ready(Ok(None)).boxed());
                continue;
            };
            if !self.knows(&what) {
                self.articles.fetch_add(1, Ordering::Relaxed);
            }
            let actor = by(&author);
            let publish = PublishArticle {
                id,
                author,
                content: article.content.clone(),
                images: article.images.clone(),
            };
            works.push(self.made(actor, what, id, publish).boxed());
        }
        all(works).await
    }

    /// Writes the comments, the answers after what they answer; answers the ids of those that are there.
    async fn comments(
        &self,
        plan: &Plan,
        members: &[Option<String>],
        articles: &[Option<i64>],
    ) -> anyhow::Result<Vec<Option<i64>>> {
        let mut written: Vec<Option<i64>> = vec![None; plan.comments.len()];
        for answers in [false, true] {
            let mut numbers = Vec::new();
            let mut works: Vec<Work<'_, Option<i64>>> = Vec::new();
            for (number, said) in plan.comments.iter().enumerate() {
                let there = members[said.author].clone().zip(articles[said.article]);
                let Some((author, article)) = there else {
                    continue;
                };
                if said.answers.is_some() != answers {
                    continue;
                }
                let what = format!("comment/{number}");
                let id = self.id(&what, "comment").await?;
                let actor = by(&author);
                let author = Party::new(PartyKind::Member, author);
                let target = Target::new(TargetKind::Article, article);
                let content = said.content.to_owned();
                let work = match said.answers.map(|answered| written[answered]) {
                    None => {
                        let publish = PublishComment {
                            id,
                            target,
                            author,
                            content,
                        };
                        self.made(actor, what, id, publish).boxed()
                    }
                    Some(None) => continue,
                    Some(Some(reply_id)) => {
                        let reply = ReplyToComment {
                            id,
                            target,
                            reply_id,
                            first_reply_id: None,
                            author,
                            content,
                        };
                        self.made(actor, what, id, reply).boxed()
                    }
                };
                numbers.push(number);
                works.push(work);
            }
            let made = all(works).await?;
            for (number, id) in numbers.into_iter().zip(made) {
                written[number] = id;
            }
        }
        Ok(written)
    }

    async fn reactions(
        &self,
        plan: &Plan,
        members: &[Option<String>],
        articles: &[Option<i64>],
    ) -> anyhow::Result<()> {
        let mut works: Vec<Work<'_, ()>> = Vec::new();
        for (who, kind, article) in &plan.reactions {
            if let Some((uid, id)) = members[*who].as_deref().zip(articles[*article]) {
                let key = ReactionKey {
                    actor: Party::new(PartyKind::Member, uid),
                    kind: *kind,
                    target: Target::new(TargetKind::Article, id),
                };
                let what = key.to_string();
                let wish = Wish::Add(None);
                works.push(self.once(by(uid), what, React { key, wish }).boxed());
            }
        }
        all(works).await?;
        Ok(())
    }

    async fn votes(
        &self,
        plan: &Plan,
        members: &[Option<String>],
        comments: &[Option<i64>],
    ) -> anyhow::Result<()> {
        let mut works: Vec<Work<'_, ()>> = Vec::new();
        for (who, comment) in &plan.votes {
            if let Some((uid, comment_id)) = members[*who].as_deref().zip(comments[*comment]) {
                let vote = VoteOnComment {
                    by: Party::new(PartyKind::Member, uid),
                    comment_id,
                    under: TargetKind::Article,
                    vote: Vote::Up,
                };
                let what = format!("vote/{uid}/{comment_id}");
                works.push(self.once(by(uid), what, vote).boxed());
            }
        }
        all(works).await?;
        Ok(())
    }

    /// Sends the lines of a conversation, one after the other.
    async fn talk(
        &self,
        number: usize,
        talk: &plan::Talk,
        members: &[Option<String>],
    ) -> anyhow::Result<()> {
        let Some(me) = members[talk.who].as_deref() else {
            return Ok(());
        };
        let peer = match talk.with.map(|place| members[place].as_deref()) {
            Some(Some(uid)) => Party::new(PartyKind::Member, uid),
            Some(None) => return Ok(()),
            None => Party::customer_service(),
        };
        let me = Party::new(PartyKind::Member, me);
        for (line, content) in talk.lines.iter().enumerate() {
            let what = format!("talk/{number}/{line}");
            if self.knows(&what) {
                continue;
            }
            let (from, to) = if line % 2 == 0 {
                (me.clone(), peer.clone())
            } else {
                (peer.clone(), me.clone())
            };
            let actor = match from.kind {
                PartyKind::Member => from.to_string(),
                _ => STAFF.to_owned(),
            };
            let send = SendText {
                id: self.desk.ledger().next_id("message").await?,
                from,
                to,
                content: (*content).to_owned(),
            };
            self.once(actor, what, send).await?;
        }
        Ok(())
    }

    fn knows(&self, what: &str) -> bool {
        self.told.contains_key(&format!("{PREFIX}{what}"))
    }

    /// The id of what was made under `what`, or a new one.
    async fn id(&self, what: &str, sequence: &'static str) -> anyhow::Result<i64> {
        let known = self.told.get(&format!("{PREFIX}{what}"));
        match known.and_then(|id| id.parse().ok()) {
            Some(id) => Ok(id),
            None => Ok(self.desk.ledger().next_id(sequence).await?),
        }
    }

    /// As [`Self::once`], for something that gets an id: the one it has afterwards, if it is there.
    async fn made<O: Operation<Outcome = i64>>(
        &self,
        actor: String,
        what: String,
        id: i64,
        operation: O,
    ) -> anyhow::Result<Option<i64>> {
        if self.knows(&what) {
            return Ok(Some(id));
        }
        self.send(&actor, &what, &operation).await
    }

    /// Sends it, unless the log knows it.
    async fn once<O: Operation>(
        &self,
        actor: String,
        what: String,
        operation: O,
    ) -> anyhow::Result<()> {
        if !self.knows(&what) {
            self.send(&actor, &what, &operation).await?;
        }
        Ok(())
    }

    /// What the operation answers; nothing when a rule says no, because somebody changed what the command is about.
    async fn send<O: Operation>(
        &self,
        actor: &str,
        what: &str,
        operation: &O,
    ) -> anyhow::Result<Option<O::Outcome>> {
        let correlation = format!("{PREFIX}{what}");
        let request = Request {
            metadata: Metadata {
                actor: actor.to_owned(),
                surface: SURFACE.to_owned(),
                request_id: Uuid::now_v7(),
                causation: None,
                correlation: Some(correlation.clone()),
                at: self.desk.ledger().clock().now(),
            },
            // Two runs at once shall not both do it.
            receipt: Some(receipt(&correlation)),
            if_match: None,
            deadline: Instant::now() + PATIENCE,
        };
        match self.desk.run(&request, operation).await {
            Ok(done) => {
                let moved = done.changes.iter().any(|change| !change.events.is_empty());
                let sent = u64::from(moved && !done.repeated);
                self.commands.fetch_add(sent, Ordering::Relaxed);
                Ok(Some(done.outcome))
            }
            Err(DeskError::Refused(refusal)) => {
                tracing::debug!("{what} is not sent: {refusal}");
                Ok(None)
            }
            Err(error) => Err(anyhow!("{what}: {error}")),
        }
    }
}

/// How a member is named as an actor.
fn by(uid: &str) -> String {
    Party::new(PartyKind::Member, uid).to_string()
}

/// The same 32 hex characters for the same words, always.
fn made_id(words: &str) -> String {
    let digest = Sha256::digest(format!("{PREFIX}{words}").as_bytes());
    HEXLOWER.encode(&digest[..16])
}
