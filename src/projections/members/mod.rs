//! Members of the community, and what is counted of them.

mod queries;
mod write;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{Member, SeenMember, by_uid, seen_by};

use super::{FoldError, Handling, Projection};
use crate::events::account::ProfileChange;
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::{AccountEvent, ArticleEvent, Event, Fact, FollowEvent};
use crate::ledger::Personal;

/// The read model `members`.
pub struct Members;

#[async_trait]
impl Projection for Members {
    fn name(&self) -> &'static str {
        "members"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Account", "Article", "Follow"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Account(event) => match event {
                AccountEvent::AccountOpened { .. }
                | AccountEvent::AccountProfileUpdated(_)
                | AccountEvent::AccountStandingAdjusted { .. }
                | AccountEvent::AccountDisabled { .. }
                | AccountEvent::AccountEnabled {}
                | AccountEvent::PersonErased {} => Handling::Handled,
                AccountEvent::PasswordSet { .. } | AccountEvent::AccountRoleChanged { .. } => {
                    Handling::Ignored
                }
            },
            Event::Article(event) => match event {
                ArticleEvent::ArticlePublished { .. } | ArticleEvent::ArticleDeleted { .. } => {
                    Handling::Handled
                }
            },
            Event::Follow(event) => match event {
                FollowEvent::Followed { .. } | FollowEvent::Unfollowed { .. } => Handling::Handled,
            },
            _ => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes {
            // A profile has too many fields that may be cleared to say each change by itself: rows are read, folded, written.
            rows: write::rows(tx, &moved(batch)).await?,
            counts: BTreeMap::new(),
        };
        for fact in batch {
            changes.fold(fact)?;
        }
        write::members(tx, changes.rows).await?;
        write::counts(tx, changes.counts).await?;
        Ok(())
    }
}

/// What a batch comes to.
struct Changes {
    rows: BTreeMap<String, Row>,
    counts: BTreeMap<String, Counts>,
}

/// A member as it stands at the end of the batch.
#[derive(Default)]
struct Row {
    position: i64,
    created_at: DateTime<Utc>,
    birthday_ms: Option<i64>,
    category: i64,
    score: i64,
    level: i64,
    exp: i64,
    gender: i16,
    enabled: bool,
    nickname: String,
    country: String,
    phone: String,
    avatar: Option<String>,
    province: Option<String>,
    city: Option<String>,
    email: Option<String>,
    intro: Option<String>,
    invitation_code: Option<String>,
    inviter: Option<String>,
}

/// By how much the counters move.
#[derive(Default)]
struct Counts {
    follows: i64,
    followers: i64,
    articles: i64,
}

/// The members whose own streams move in a batch.
fn moved(batch: &[&Fact]) -> Vec<String> {
    let own = batch
        .iter()
        .filter(|fact| matches!(fact.event, Event::Account(_)));
    let mut uids: Vec<String> = own
        .filter_map(|fact| uid(fact).map(str::to_owned))
        .collect();
    uids.sort_unstable();
    uids.dedup();
    uids
}

/// The member an account is of; `None` for other realms.
fn uid(fact: &Fact) -> Option<&str> {
    fact.place.stream.id.strip_prefix("community:")
}

impl Changes {
    fn fold(&mut self, fact: &Fact) -> Result<(), FoldError> {
        match &fact.event {
            Event::Account(event) => {
                // Tables as of a position are told of the forgotten who came after it, too: that makes no rows.
                let made = !matches!(event, AccountEvent::PersonErased {});
                if let Some(uid) = uid(fact)
                    && (made || self.rows.contains_key(uid))
                {
                    let row = self.rows.entry(uid.to_owned()).or_default();
                    row.fold(fact, event)?;
                }
            }
            Event::Article(ArticleEvent::ArticlePublished { author, .. }) => {
                self.of(author).articles += 1;
            }
            Event::Article(ArticleEvent::ArticleDeleted { author, .. }) => {
                self.of(author).articles -= 1;
            }
            Event::Follow(FollowEvent::Followed { follower, target }) => {
                self.follow(follower, target, 1);
            }
            Event::Follow(FollowEvent::Unfollowed { follower, target }) => {
                self.follow(follower, target, -1);
            }
            _ => {}
        }
        Ok(())
    }

    /// Members following members are counted, whoever else they follow is not (`community.md` 1.7).
    fn follow(&mut self, follower: &Party, target: &Target, by: i64) {
        if (follower.kind, target.kind) == (PartyKind::Member, TargetKind::User) {
            self.of(&follower.id).follows += by;
            self.of(&target.id).followers += by;
        }
    }

    fn of(&mut self, uid: &str) -> &mut Counts {
        self.counts.entry(uid.to_owned()).or_default()
    }
}

impl Row {
    fn fold(&mut self, fact: &Fact, event: &AccountEvent) -> Result<(), FoldError> {
        match event {
            AccountEvent::AccountOpened {
                name,
                role: _,
                perm: _,
                country,
                phone,
            } => {
                *self = Self {
                    position: fact.place.position,
                    created_at: fact.place.recorded_at,
                    enabled: true,
                    nickname: name.text().to_owned(),
                    country: text(country.as_ref()).unwrap_or_default(),
                    phone: text(phone.as_ref()).unwrap_or_default(),
                    ..Self::default()
                };
            }
            AccountEvent::AccountProfileUpdated(change) => self.change(change),
            AccountEvent::AccountStandingAdjusted {
                category,
                score,
                level,
                exp,
                invitation_code,
                inviter,
            } => {
                set(&mut self.category, number(*category)?);
                set(&mut self.score, number(*score)?);
                set(&mut self.level, number(*level)?);
                set(&mut self.exp, number(*exp)?);
                let code = invitation_code.as_ref();
                set(&mut self.invitation_code, code.map(|v| text(v.as_ref())));
                set(
                    &mut self.inviter,
                    inviter.as_ref().map(|v| text(v.as_ref())),
                );
            }
            AccountEvent::AccountDisabled { .. } => self.enabled = false,
            AccountEvent::AccountEnabled {} => self.enabled = true,
            AccountEvent::PasswordSet { .. } | AccountEvent::AccountRoleChanged { .. } => {}
            AccountEvent::PersonErased {} => {
                // What staff counted is no personal data.
                *self = Self {
                    position: self.position,
                    created_at: self.created_at,
                    category: self.category,
                    score: self.score,
                    level: self.level,
                    exp: self.exp,
                    ..Self::default()
                };
            }
        }
        Ok(())
    }

    fn change(&mut self, change: &ProfileChange) {
        let ProfileChange {
            name,
            avatar,
            gender,
            province,
            city,
            birthday_ms,
            email,
            intro,
        } = change;
        set(
            &mut self.nickname,
            name.as_ref().map(|name| name.text().to_owned()),
        );
        set(&mut self.avatar, avatar.as_ref().map(|v| text(v.as_ref())));
        let gender = gender.as_ref().and_then(Personal::get);
        set(&mut self.gender, gender.copied().map(i16::from));
        set(
            &mut self.province,
            province.as_ref().map(|v| text(v.as_ref())),
        );
        set(&mut self.city, city.as_ref().map(|v| text(v.as_ref())));
        let birthday = birthday_ms.as_ref();
        let birthday = birthday.map(|v| v.as_ref().and_then(Personal::get).copied());
        set(&mut self.birthday_ms, birthday);
        set(&mut self.email, email.as_ref().map(|v| text(v.as_ref())));
        set(&mut self.intro, intro.as_ref().map(|v| text(v.as_ref())));
    }
}

fn set<T>(old: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *old = new;
    }
}

fn text(value: Option<&Personal<String>>) -> Option<String> {
    value.and_then(Personal::get).cloned()
}

fn number(value: Option<u64>) -> Result<Option<i64>, FoldError> {
    let number = value.map(i64::try_from).transpose();
    number.map_err(|_| FoldError::Data("a standing is beyond what is counted".to_owned()))
}
