//! The members of a service and what they wrote, before anything is measured.

use std::cell::Cell;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use sqlx::{Connection as _, PgConnection};

use super::Wire;
use crate::load::{Answer, ask, count, number_after, numbers_after, spread, success, text_after};

/// Connections used for filling a store.
const SEEDERS: usize = 16;

/// The newest articles have been reacted to; those are read.
const READ: usize = 200;

/// Likes of each of them.
pub const LIKES: usize = 5;

/// Collections of each of them.
pub const COLLECTS: usize = 2;

/// Comments under each of them.
pub const COMMENTS: usize = 3;

/// The code that ours sends to every phone here.
pub const SMS_CODE: &str = "135790";

/// How many there are.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Members, each with a session.
    pub members: usize,
    /// Articles.
    pub articles: usize,
}

/// Members with their sessions, articles, and which of them have met.
#[derive(Debug)]
pub struct Community {
    /// A wire for each member.
    pub members: Vec<Wire>,
    /// Their ids.
    pub uids: Vec<String>,
    /// Ids of the articles, newest first.
    pub articles: Vec<i64>,
    /// A project of which tickets can be issued, in ours.
    pub project: i64,
    /// Likes that were acknowledged.
    pub likes: Cell<u64>,
    next_pair: Cell<usize>,
}

impl Community {
    /// Fills ours over HTTP: members sign up, write and react.
    ///
    /// # Errors
    ///
    /// When an answer is wrong.
    pub async fn of_ours(address: SocketAddr, staff: &Wire, size: Size) -> Result<Self> {
        let (members, uids) = sign_up(address, size.members).await?;
        let articles = publish(address, &members, size.articles).await?;
        let project = project(address, staff).await?;
        let community = Self {
            members,
            uids,
            articles,
            project,
            likes: Cell::new(0),
            next_pair: Cell::new(0),
        };
        community.react(address).await?;
        Ok(community)
    }

    /// Enters the members of the stock service, which has nothing but their sessions; its articles are just ids.
    ///
    /// # Errors
    ///
    /// When the database says no.
    pub async fn of_stock(database_url: &str, size: Size) -> Result<Self> {
        let tokens: Vec<String> = (1..=size.members)
            .map(|nth| format!("{nth:032x}"))
            .collect();
        let uids: Vec<String> = (1..=size.members).map(|nth| format!("{nth:032}")).collect();
        let mut database = PgConnection::connect(database_url).await?;
        sqlx::query(
            "WITH made AS (
                 INSERT INTO members (uid) SELECT uid FROM unnest($1::text[]) AS uid RETURNING uid
             )
             INSERT INTO member_sessions (token, uid, expires_at)
             SELECT token, uid, now() + interval '24 hours'
             FROM unnest($2::text[], $1::text[]) AS asked(token, uid) JOIN made USING (uid)",
        )
        .bind(&uids)
        .bind(&tokens)
        .execute(&mut database)
        .await?;
        database.close().await?;
        Ok(Self {
            members: tokens.into_iter().map(Wire::with_token).collect(),
            uids,
            articles: (1..=i64::try_from(size.articles)?).rev().collect(),
            project: 0,
            likes: Cell::new(0),
            next_pair: Cell::new(0),
        })
    }

    /// The articles that are read, newest first.
    #[must_use]
    pub fn read(&self) -> &[i64] {
        &self.articles[..READ.min(self.articles.len())]
    }

    /// Which members like the article of a place before anything is measured.
    pub fn fans(&self, place: usize) -> impl Iterator<Item = usize> {
        let members = self.members.len();
        (0..LIKES).map(move |round| (place + members - 1 - round) % members)
    }

    /// A member and an article that have not met. Neighbours of a pair are other articles, so that likes of one
    /// article are far apart; every article is liked once before any is liked again.
    #[must_use]
    pub fn next_pair(&self) -> Option<(&Wire, i64)> {
        let pair = self.next_pair.get();
        let (round, place) = (pair / self.articles.len(), pair % self.articles.len());
        // The last rounds are those of the fans.
        if round + LIKES >= self.members.len() {
            return None;
        }
        self.next_pair.set(pair + 1);
        let member = (place + round) % self.members.len();
        Some((&self.members[member], self.articles[place]))
    }

    /// Counts a like that was acknowledged.
    pub fn liked(&self) {
        self.likes.set(self.likes.get() + 1);
    }

    async fn react(&self, address: SocketAddr) -> Result<()> {
        let read = self.read();
        let each = LIKES + COLLECTS + COMMENTS;
        let request = |nth: usize| {
            let (place, what) = (nth / each, nth % each);
            let id = read[place];
            let fan = self.fans(place).nth(what % LIKES).unwrap_or(0);
            let member = &self.members[fan];
            let body = format!(r#"{{"article_id":{id}}}"#);
            if what < LIKES {
                member.post("/community/api/v1/article_like", &body)
            } else if what < LIKES + COLLECTS {
                member.post("/community/api/v1/article_collect", &body)
            } else {
                let body = format!(r#"{{"article_id":{id},"content":"春光正好，下回同去。"}}"#);
                member.post("/community/api/v1/article_comment_publish", &body)
            }
        };
        let asked = read.len() * each;
        spread(address, SEEDERS, asked, request, success).await?;
        self.likes.set((read.len() * LIKES) as u64);
        Ok(())
    }
}

/// Signs members up; answers their wires and ids.
async fn sign_up(address: SocketAddr, count: usize) -> Result<(Vec<Wire>, Vec<String>)> {
    let nobody = Wire::default();
    let code = |nth: usize| {
        let body = format!(r#"{{"phone":"1391000{nth:04}"}}"#);
        nobody.post("/community/api/v1/send_sms_code", &body)
    };
    spread(address, SEEDERS, count, code, success)
        .await
        .context("SMS codes")?;
    let request = |nth: usize| {
        let body = format!(
            r#"{{"phone":"1391000{nth:04}","code":"{SMS_CODE}","password":"bench-password","nickname":"同袍{nth}"}}"#
        );
        nobody.post("/community/api/v1/user_signup", &body)
    };
    // A few at once: each hashes a password.
    let found = spread(address, 4, count, request, |answer| {
        answer.expect_success()?;
        let token = text_after(answer.body, b"\"token\":\"");
        let uid = text_after(answer.body, b"\"uid\":\"");
        token.zip(uid).ok_or_else(|| answer.excerpt())
    });
    let found = found.await.context("members sign up")?;
    Ok(found
        .into_iter()
        .map(|(token, uid)| (Wire::with_token(token), uid))
        .unzip())
}

/// Publishes articles; answers their ids as the feed shows them, newest first.
async fn publish(address: SocketAddr, members: &[Wire], wanted: usize) -> Result<Vec<i64>> {
    let request = |nth: usize| {
        let body = format!(
            r#"{{"content":"第{nth}次穿着马面裙去西湖边，桃花开得正好，一路上有人来问这是哪朝哪代的衣裳。","images":["bench/{:03}.jpg","bench/{:03}.jpg"]}}"#,
            nth % 200,
            (nth + 1) % 200,
        );
        members[nth % members.len()].post("/community/api/v1/article_publish", &body)
    };
    let mut written = spread(address, SEEDERS, wanted, request, |answer| {
        answer.expect_success()?;
        number_after(answer.body, b"\"article_id\":").ok_or_else(|| answer.excerpt())
    })
    .await
    .context("articles")?;
    let mut shown = feed(address, &members[0], wanted)
        .await?
        .into_iter()
        .map(|(id, _)| id)
        .collect::<Vec<_>>();
    let order = shown.clone();
    written.sort_unstable();
    shown.sort_unstable();
    ensure!(
        written == shown,
        "the feed shows other articles than were published"
    );
    Ok(order)
}

/// The feed of ours: ids with their likes, newest first.
///
/// # Errors
///
/// When an answer is wrong.
pub async fn feed(address: SocketAddr, reader: &Wire, wanted: usize) -> Result<Vec<(i64, i64)>> {
    let request = |page: usize| {
        let offset = page * 100;
        reader.get(&format!(
            "/community/api/v1/article_list?limit=100&offset={offset}"
        ))
    };
    // Side by side would be quicker, and no test of the order in which it is shown.
    let pages = spread(address, 1, wanted.div_ceil(100) + 1, request, |answer| {
        answer.expect_success()?;
        let ids = numbers_after(answer.body, b"\"article_id\":");
        let likes = numbers_after(answer.body, b"\"like_count\":");
        if ids.len() != likes.len() || ids.len() != count(answer.body, b"\"author\":") {
            return Err(format!("not a page of the feed: {}", answer.excerpt()));
        }
        Ok(ids.into_iter().zip(likes).collect::<Vec<_>>())
    });
    Ok(pages.await?.into_iter().flatten().collect())
}

/// Enters a master with a project, in ours.
async fn project(address: SocketAddr, staff: &Wire) -> Result<i64> {
    let master = r#"{"CreateMaster":{"name":"量体师傅"}}"#;
    let master = staff.post("/admin/commands/Master/new", master);
    let master = ask(address, &master, made).await.context("a master")?;
    let project = format!(
        r#"{{"CreateProject":{{"master_id":"{master}","name":"春日雅集","image":"bench/000.jpg"}}}}"#
    );
    let project = staff.post("/admin/commands/Project/new", &project);
    let id = ask(address, &project, made).await.context("a project")?;
    Ok(id.parse()?)
}

/// The id of what a staff command made.
///
/// # Errors
///
/// When it made nothing.
pub fn made(answer: &Answer<'_>) -> Result<String, String> {
    answer.expect_success()?;
    text_after(answer.body, b"\"id\":\"").ok_or_else(|| answer.excerpt())
}
