//! The members of a service and what they wrote, before anything is measured.

use std::cell::Cell;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use sqlx::{Connection as _, PgConnection};

use super::Wire;
use crate::load::{Answer, ask, count, number_after, numbers_after, spread, success, text_after};

/// Connections used for filling a store.
const SEEDERS: usize = 16;

/// The newest articles have been reacted to before anything is measured. Those are read, and what is liked while somebody
/// measures is the others: so it is known at any time what a page shows.
const READ: usize = 200;

/// Articles on a page of the feed when it is looked at whole.
const PAGE: usize = 100;

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
    /// Likes of those articles that were acknowledged.
    pub likes: Cell<u64>,
    /// Comments under them that were acknowledged.
    pub comments: Cell<u64>,
    /// Articles of the store that are older.
    older: usize,
    next_pair: Cell<usize>,
}

/// An article as the feed shows it.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Its id.
    pub id: i64,
    /// Who likes it.
    pub likes: i64,
    /// What is said under it.
    pub comments: i64,
}

impl Community {
    /// Fills ours over HTTP: members sign up, write and react.
    ///
    /// # Errors
    ///
    /// When an answer is wrong.
    pub async fn of_ours(
        address: SocketAddr,
        staff: &Wire,
        size: Size,
        older: usize,
    ) -> Result<Self> {
        let (members, uids) = sign_up(address, size.members).await?;
        let project = project(address, staff).await?;
        Self::meet(address, (members, uids), project, size.articles, older).await
    }

    /// The same members over so many new articles.
    ///
    /// # Errors
    ///
    /// When an answer is wrong.
    pub async fn again(&self, address: SocketAddr, articles: usize) -> Result<Self> {
        let people = (self.members.clone(), self.uids.clone());
        let older = self.older + self.articles.len();
        Self::meet(address, people, self.project, articles, older).await
    }

    async fn meet(
        address: SocketAddr,
        (members, uids): (Vec<Wire>, Vec<String>),
        project: i64,
        articles: usize,
        older: usize,
    ) -> Result<Self> {
        let written = publish(address, &members, articles).await?;
        let mut community = Self {
            members,
            uids,
            articles: written,
            project,
            likes: Cell::new(0),
            comments: Cell::new(0),
            older,
            next_pair: Cell::new(0),
        };
        let shown = community.feed(address).await?;
        let newest_first = shown.iter().map(|article| article.id).collect();
        let mut written = std::mem::replace(&mut community.articles, newest_first);
        let mut shown = community.articles.clone();
        written.sort_unstable();
        shown.sort_unstable();
        ensure!(
            written == shown,
            "the feed shows other articles than were published"
        );
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
            comments: Cell::new(0),
            older: 0,
            next_pair: Cell::new(0),
        })
    }

    /// The articles that are read, newest first.
    #[must_use]
    pub fn read(&self) -> &[i64] {
        &self.articles[..READ.min(self.articles.len() / 2)]
    }

    /// The articles that are liked and commented on, newest first.
    #[must_use]
    pub fn written(&self) -> &[i64] {
        &self.articles[self.read().len()..]
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
        let (pair, articles) = (self.next_pair.get(), self.written());
        let (round, place) = (pair / articles.len(), pair % articles.len());
        if round >= self.members.len() {
            return None;
        }
        self.next_pair.set(pair + 1);
        let member = (place + round) % self.members.len();
        Some((&self.members[member], articles[place]))
    }

    /// How many pairs have not met yet.
    #[must_use]
    pub fn strangers(&self) -> usize {
        self.members.len() * self.written().len() - self.next_pair.get()
    }

    /// Counts a like that was acknowledged.
    pub fn liked(&self) {
        self.likes.set(self.likes.get() + 1);
    }

    /// Counts a comment that was acknowledged.
    pub fn commented(&self) {
        self.comments.set(self.comments.get() + 1);
    }

    /// These articles as the feed shows them, newest first.
    ///
    /// # Errors
    ///
    /// When an answer is wrong, or it shows more or fewer than there are.
    pub async fn feed(&self, address: SocketAddr) -> Result<Vec<Shown>> {
        let (wanted, reader) = (self.articles.len(), &self.members[0]);
        // One page more, for what should not be there.
        let pages = wanted.div_ceil(PAGE) + 1;
        let request = |page: usize| {
            let offset = page * PAGE;
            reader.get(&format!(
                "/community/api/v1/article_list?limit={PAGE}&offset={offset}"
            ))
        };
        // Side by side would be quicker, and no test of the order in which it is shown.
        let shown = spread(address, 1, pages, request, page).await?;
        let mut shown: Vec<Shown> = shown.into_iter().flatten().collect();
        let there = (wanted + self.older).min(pages * PAGE);
        ensure!(
            shown.len() == there,
            "the feed shows {} articles instead of {there}",
            shown.len()
        );
        shown.truncate(wanted);
        Ok(shown)
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
        self.comments.set((read.len() * COMMENTS) as u64);
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

/// Publishes articles; answers their ids.
async fn publish(address: SocketAddr, members: &[Wire], wanted: usize) -> Result<Vec<i64>> {
    let request = |nth: usize| {
        let body = format!(
            r#"{{"content":"第{nth}次穿着马面裙去西湖边，桃花开得正好，一路上有人来问这是哪朝哪代的衣裳。","images":["bench/{:03}.jpg","bench/{:03}.jpg"]}}"#,
            nth % 200,
            (nth + 1) % 200,
        );
        members[nth % members.len()].post("/community/api/v1/article_publish", &body)
    };
    spread(address, SEEDERS, wanted, request, |answer| {
        answer.expect_success()?;
        number_after(answer.body, b"\"article_id\":").ok_or_else(|| answer.excerpt())
    })
    .await
    .context("articles")
}

/// Reads a page of the feed.
fn page(answer: &Answer<'_>) -> Result<Vec<Shown>, String> {
    answer.expect_success()?;
    let ids = numbers_after(answer.body, b"\"article_id\":");
    let likes = numbers_after(answer.body, b"\"like_count\":");
    let comments = numbers_after(answer.body, b"\"comment_count\":");
    let authors = count(answer.body, b"\"author\":");
    if [likes.len(), comments.len(), authors] != [ids.len(); 3] {
        return Err(format!("not a page of the feed: {}", answer.excerpt()));
    }
    let counts = likes.into_iter().zip(comments);
    Ok((ids.into_iter().zip(counts))
        .map(|(id, (likes, comments))| Shown {
            id,
            likes,
            comments,
        })
        .collect())
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
