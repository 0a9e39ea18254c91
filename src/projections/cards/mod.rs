//! Business cards, their photos, and what visitors make of them.

mod queries;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{BoundCard, BoundCards, CardDetail, CardPhoto, by_uid, of_customer};

use super::{FoldError, Handling, Projection, number};
use crate::events::card::CardProfile;
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::ReactionKind;
use crate::events::{CardEvent, Event, Fact, ReactionEvent, VisitEvent};
use crate::ledger::Personal;

/// The read model `cards`.
pub struct Cards;

#[async_trait]
impl Projection for Cards {
    fn name(&self) -> &'static str {
        "cards"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Card", "Reaction", "Visit"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let handled = match event {
            Event::Card(event) => match event {
                CardEvent::CardCreated { .. }
                | CardEvent::CardEdited { .. }
                | CardEvent::CardPhotoAdded { .. }
                | CardEvent::CardPhotoRemoved { .. }
                | CardEvent::CardDisabled {}
                | CardEvent::CardEnabled {}
                | CardEvent::PersonErased {} => true,
                // A token is a question to the ledger.
                CardEvent::CardTokenRotated {} => false,
            },
            Event::Reaction(event) => match event {
                ReactionEvent::ReactionAdded { .. } | ReactionEvent::ReactionRemoved { .. } => {
                    reacted(event).is_some()
                }
            },
            Event::Visit(event) => match event {
                VisitEvent::CardViewed { .. } | VisitEvent::CardForwarded { .. } => true,
                VisitEvent::CardPhoneCalled { .. }
                | VisitEvent::CardWechatSaved { .. }
                | VisitEvent::CardPosterSaved { .. }
                | VisitEvent::ProductViewed { .. }
                | VisitEvent::ProductForwarded { .. }
                | VisitEvent::ProductConsulted { .. }
                | VisitEvent::WebsiteViewed { .. }
                | VisitEvent::CaseBrowsed { .. }
                | VisitEvent::TagSearched { .. }
                | VisitEvent::DiaryRead { .. }
                | VisitEvent::ShowcaseViewed { .. } => false,
            },
            _ => false,
        };
        if handled {
            Handling::Handled
        } else {
            Handling::Ignored
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

/// Which card a reaction is about, and by how much which counter moves.
fn reacted(event: &ReactionEvent) -> Option<(i64, Counts)> {
    let (kind, target, by) = match event {
        ReactionEvent::ReactionAdded { kind, target, .. } => (kind, target, 1),
        ReactionEvent::ReactionRemoved { kind, target, .. } => (kind, target, -1),
    };
    let counts = match kind {
        ReactionKind::Praise => Counts {
            praise: by,
            ..Counts::default()
        },
        ReactionKind::Sign => Counts {
            sign: by,
            ..Counts::default()
        },
        ReactionKind::Like | ReactionKind::Collect | ReactionKind::Vote => return None,
    };
    is_card(target).then_some((target.number()?, counts))
}

fn is_card(target: &Target) -> bool {
    target.kind == TargetKind::Card
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    made: BTreeMap<i64, Made<'f>>,
    changed: BTreeMap<i64, Changed<'f>>,
    counts: BTreeMap<i64, Counts>,
    /// By card and photo.
    photos_new: BTreeMap<(i64, i64), &'f str>,
    photos_gone: BTreeSet<(i64, i64)>,
    forgotten: BTreeSet<i64>,
}

/// A card of this batch, as it stands at its end.
struct Made<'f> {
    company_id: i64,
    position: i64,
    created_at: DateTime<Utc>,
    now: Changed<'f>,
}

/// New values of what can change.
#[derive(Default)]
struct Changed<'f> {
    position: i64,
    enabled: Option<bool>,
    username: Option<&'f str>,
    avatar: Option<&'f str>,
    mingpian_avatar: Option<&'f str>,
    address: Option<&'f str>,
    job: Option<&'f str>,
    email: Option<&'f str>,
    wechat: Option<&'f str>,
    mingpian_phone: Option<&'f str>,
    sign: Option<&'f str>,
    qr_code_url: Option<&'f str>,
    poster_url: Option<&'f str>,
}

/// By how much the counters of a card move.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    popularity: i64,
    praise: i64,
    forward: i64,
    sign: i64,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        match &fact.event {
            Event::Card(event) => self.card(fact, event)?,
            Event::Reaction(event) => {
                if let Some((uid, counts)) = reacted(event) {
                    let card = self.counts.entry(uid).or_default();
                    card.praise += counts.praise;
                    card.sign += counts.sign;
                }
            }
            Event::Visit(VisitEvent::CardViewed { uid, .. }) => {
                self.counts.entry(*uid).or_default().popularity += 1;
            }
            Event::Visit(VisitEvent::CardForwarded { uid, .. }) => {
                self.counts.entry(*uid).or_default().forward += 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn card(&mut self, fact: &'f Fact, event: &'f CardEvent) -> Result<(), FoldError> {
        let uid = number(fact, &fact.place.stream.id)?;
        match event {
            CardEvent::CardCreated {
                company_id,
                profile,
            } => {
                let made = Made {
                    company_id: *company_id,
                    position: fact.place.position,
                    created_at: fact.place.recorded_at,
                    now: shown(profile),
                };
                self.made.insert(uid, made);
            }
            CardEvent::CardEdited {
                username,
                avatar,
                mingpian_avatar,
                address,
                position,
                email,
                wechat,
                mingpian_phone,
                sign,
                qr_code_url,
                poster_url,
            } => {
                let card = self.of(uid);
                set(&mut card.username, username.as_ref());
                set(&mut card.avatar, avatar.as_ref());
                set(&mut card.mingpian_avatar, mingpian_avatar.as_ref());
                set(&mut card.email, email.as_ref());
                set(&mut card.wechat, wechat.as_ref());
                set(&mut card.mingpian_phone, mingpian_phone.as_ref());
                set(&mut card.sign, sign.as_ref());
                card.address = address.as_deref().or(card.address);
                card.job = position.as_deref().or(card.job);
                card.qr_code_url = qr_code_url.as_deref().or(card.qr_code_url);
                card.poster_url = poster_url.as_deref().or(card.poster_url);
            }
            CardEvent::CardPhotoAdded {
                photo_id,
                photo_url,
            } => {
                let key = (uid, i64::from(*photo_id));
                self.photos_new.insert(key, photo_url);
                return Ok(());
            }
            CardEvent::CardPhotoRemoved { photo_id } => {
                let key = (uid, i64::from(*photo_id));
                if self.photos_new.remove(&key).is_none() {
                    self.photos_gone.insert(key);
                }
                return Ok(());
            }
            CardEvent::CardTokenRotated {} => return Ok(()),
            CardEvent::CardDisabled {} => self.of(uid).enabled = Some(false),
            CardEvent::CardEnabled {} => self.of(uid).enabled = Some(true),
            CardEvent::PersonErased {} => self.forget(uid),
        }
        self.of(uid).position = fact.place.position;
        Ok(())
    }

    /// What was the person's is blank; what was the company's stays.
    fn forget(&mut self, uid: i64) {
        self.photos_new.retain(|(card, _), _| *card != uid);
        self.forgotten.insert(uid);
        let card = self.of(uid);
        *card = Changed {
            enabled: Some(false),
            username: Some(""),
            avatar: Some(""),
            mingpian_avatar: Some(""),
            email: Some(""),
            wechat: Some(""),
            mingpian_phone: Some(""),
            sign: Some(""),
            qr_code_url: Some(""),
            poster_url: Some(""),
            address: card.address,
            job: card.job,
            position: card.position,
        };
    }

    fn of(&mut self, uid: i64) -> &mut Changed<'f> {
        match self.made.get_mut(&uid) {
            Some(made) => &mut made.now,
            None => self.changed.entry(uid).or_default(),
        }
    }
}

fn shown(profile: &CardProfile) -> Changed<'_> {
    Changed {
        position: 0,
        enabled: Some(true),
        username: Some(profile.username.text()),
        avatar: Some(profile.avatar.text()),
        mingpian_avatar: Some(profile.mingpian_avatar.text()),
        address: Some(&profile.address),
        job: Some(&profile.position),
        email: Some(profile.email.text()),
        wechat: Some(profile.wechat.text()),
        mingpian_phone: Some(profile.mingpian_phone.text()),
        sign: Some(profile.sign.text()),
        qr_code_url: Some(&profile.qr_code_url),
        poster_url: Some(&profile.poster_url),
    }
}

fn set<'f>(value: &mut Option<&'f str>, new: Option<&'f Personal<String>>) {
    if let Some(new) = new {
        *value = Some(new.text());
    }
}
