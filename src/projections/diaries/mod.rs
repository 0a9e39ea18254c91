//! Diaries of cases, and how often they were read, commented on and praised.

mod queries;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{
    DiariesWanted, DiaryComment, DiaryComments, DiaryItem, DiaryPage, comments, one, page,
};

use super::{FoldError, Handling, Projection, at, number};
use crate::events::diary::CoverShowType;
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::ReactionKind;
use crate::events::{CommentEvent, DiaryEvent, Event, Fact, ReactionEvent, VisitEvent};

/// Everybody sees it.
const PUBLISHED: i16 = 1;
/// Nobody sees it.
const UNPUBLISHED: i16 = 2;

/// The read model `diaries`.
pub struct Diaries;

#[async_trait]
impl Projection for Diaries {
    fn name(&self) -> &'static str {
        "diaries"
    }

    fn version(&self) -> u32 {
        2
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Comment", "Diary", "Reaction", "Visit"]
    }

    fn handles(&self, event: &Event) -> Handling {
        if let Event::Diary(event) = event {
            return match event {
                DiaryEvent::DiaryCreated { .. }
                | DiaryEvent::DiaryEdited { .. }
                | DiaryEvent::DiaryPublished { .. }
                | DiaryEvent::DiaryWithdrawn { .. }
                | DiaryEvent::DiaryDeleted { .. } => Handling::Handled,
            };
        }
        match counted(event) {
            Some(_) => Handling::Handled,
            None => Handling::Ignored,
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

/// By how much which count moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    read: i64,
    comment: i64,
    up: i64,
}

impl Counts {
    fn read() -> Self {
        Self {
            read: 1,
            ..Self::default()
        }
    }

    fn comment(step: i64) -> Self {
        Self {
            comment: step,
            ..Self::default()
        }
    }

    fn up(step: i64) -> Self {
        Self {
            up: step,
            ..Self::default()
        }
    }

    fn add(&mut self, other: Self) {
        self.read += other.read;
        self.comment += other.comment;
        self.up += other.up;
    }
}

/// The diary whose counts an event moves, and how.
fn counted(event: &Event) -> Option<(i64, Counts)> {
    let diary = |target: &Target| match target.kind {
        TargetKind::Diary => target.number(),
        _ => None,
    };
    match event {
        Event::Visit(event) => match event {
            VisitEvent::DiaryRead { diary_id, .. } => Some((*diary_id, Counts::read())),
            VisitEvent::CardViewed { .. }
            | VisitEvent::CardForwarded { .. }
            | VisitEvent::CardPhoneCalled { .. }
            | VisitEvent::CardWechatSaved { .. }
            | VisitEvent::CardPosterSaved { .. }
            | VisitEvent::ProductViewed { .. }
            | VisitEvent::ProductForwarded { .. }
            | VisitEvent::ProductConsulted { .. }
            | VisitEvent::WebsiteViewed { .. }
            | VisitEvent::CaseBrowsed { .. }
            | VisitEvent::TagSearched { .. }
            | VisitEvent::ShowcaseViewed { .. } => None,
        },
        Event::Comment(event) => match event {
            CommentEvent::CommentPublished { target, .. } => {
                Some((diary(target)?, Counts::comment(1)))
            }
            CommentEvent::CommentDeleted { target, .. } => {
                Some((diary(target)?, Counts::comment(-1)))
            }
        },
        Event::Reaction(event) => {
            let (kind, target, step) = match event {
                ReactionEvent::ReactionAdded { kind, target, .. } => (kind, target, 1),
                ReactionEvent::ReactionRemoved { kind, target, .. } => (kind, target, -1),
            };
            let praise = *kind == ReactionKind::Praise;
            praise.then_some(())?;
            Some((diary(target)?, Counts::up(step)))
        }
        _ => None,
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    made: BTreeMap<i64, Made<'f>>,
    changed: BTreeMap<i64, Changed<'f>>,
    removed: BTreeSet<i64>,
    counts: BTreeMap<i64, Counts>,
}

/// A diary of this batch, as it stands at its end.
struct Made<'f> {
    case_id: i64,
    company_id: i64,
    position: i64,
    created_at: DateTime<Utc>,
    now: Changed<'f>,
}

/// New values of what can change.
#[derive(Default)]
struct Changed<'f> {
    diary_date: Option<DateTime<Utc>>,
    status: Option<i16>,
    cover_show_type: Option<CoverShowType>,
    title: Option<&'f str>,
    cover_picture: Option<&'f str>,
    content: Option<&'f str>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        if let Event::Diary(event) = &fact.event {
            let id = number(fact, &fact.place.stream.id)?;
            self.diary(id, fact, event);
        } else if let Some((id, counts)) = counted(&fact.event) {
            self.counts.entry(id).or_default().add(counts);
        }
        Ok(())
    }

    fn diary(&mut self, id: i64, fact: &'f Fact, event: &'f DiaryEvent) {
        match event {
            DiaryEvent::DiaryCreated {
                case_id,
                company_id,
                title,
                diary_date,
                cover_picture,
                content,
                cover_show_type,
            } => {
                let made = Made {
                    case_id: *case_id,
                    company_id: *company_id,
                    position: fact.place.position,
                    created_at: at(fact),
                    now: Changed {
                        diary_date: Some(*diary_date),
                        status: Some(UNPUBLISHED),
                        cover_show_type: Some(*cover_show_type),
                        title: Some(title),
                        cover_picture: Some(cover_picture),
                        content: Some(content),
                    },
                };
                self.made.insert(id, made);
            }
            DiaryEvent::DiaryEdited {
                case_id: _,
                title,
                diary_date,
                cover_picture,
                content,
                cover_show_type,
            } => {
                let diary = self.of(id);
                diary.title = title.as_deref().or(diary.title);
                diary.diary_date = diary_date.or(diary.diary_date);
                diary.cover_picture = cover_picture.as_deref().or(diary.cover_picture);
                diary.content = content.as_deref().or(diary.content);
                diary.cover_show_type = cover_show_type.or(diary.cover_show_type);
            }
            DiaryEvent::DiaryPublished { .. } => self.of(id).status = Some(PUBLISHED),
            DiaryEvent::DiaryWithdrawn { .. } => self.of(id).status = Some(UNPUBLISHED),
            DiaryEvent::DiaryDeleted { .. } => {
                self.changed.remove(&id);
                if self.made.remove(&id).is_none() {
                    self.removed.insert(id);
                }
            }
        }
    }

    fn of(&mut self, id: i64) -> &mut Changed<'f> {
        match self.made.get_mut(&id) {
            Some(made) => &mut made.now,
            None => self.changed.entry(id).or_default(),
        }
    }
}
