//! Customer cases as everybody lists them, with their files and what is counted.

mod queries;
mod write;

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::PgConnection;

pub use queries::{FileItem, FilePlace, ShowcaseItem, ShowcasePage, ShowcasesWanted, file, page};

use super::rows::Rows;
use super::{FoldError, Handling, Projection};
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::ReactionKind;
use crate::events::showcase::{Industry, Score, ShowcaseFile};
use crate::events::{CommentEvent, Event, Fact, ReactionEvent, ShowcaseEvent, VisitEvent};

/// The read model `showcases`.
pub struct Showcases;

#[async_trait]
impl Projection for Showcases {
    fn name(&self) -> &'static str {
        "showcases"
    }

    fn version(&self) -> u32 {
        2
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Showcase", "Visit", "Reaction", "Comment"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let may_change = match event {
            Event::Showcase(event) => match event {
                ShowcaseEvent::ShowcasePublished { .. }
                | ShowcaseEvent::ShowcaseEdited { .. }
                | ShowcaseEvent::ShowcaseScored { .. }
                | ShowcaseEvent::ShowcaseFileAdded(_)
                | ShowcaseEvent::ShowcaseFileRemoved { .. }
                | ShowcaseEvent::ShowcaseWithdrawn {}
                | ShowcaseEvent::ShowcaseRestored {} => true,
            },
            counted => counts(counted).is_some(),
        };
        if may_change {
            Handling::Handled
        } else {
            Handling::Ignored
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact);
        }
        changes.write(tx).await
    }
}

/// How much is counted more or less.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    views: i64,
    likes: i64,
    comments: i64,
}

/// What an event of another aggregate counts, and for which case; `None` when it is about no case.
fn counts(event: &Event) -> Option<(&str, Counts)> {
    let likes = |likes| Counts {
        likes,
        ..Counts::default()
    };
    let comments = |comments| Counts {
        comments,
        ..Counts::default()
    };
    match event {
        Event::Visit(event) => viewed(event).map(|id| {
            let views = 1;
            let counts = Counts {
                views,
                ..Counts::default()
            };
            (id, counts)
        }),
        Event::Reaction(event) => match event {
            ReactionEvent::ReactionAdded { kind, target, .. } => {
                Some((liked(*kind, target)?, likes(1)))
            }
            ReactionEvent::ReactionRemoved { kind, target, .. } => {
                Some((liked(*kind, target)?, likes(-1)))
            }
        },
        Event::Comment(event) => match event {
            CommentEvent::CommentPublished { target, .. } => Some((case(target)?, comments(1))),
            CommentEvent::CommentDeleted { target, .. } => Some((case(target)?, comments(-1))),
        },
        _ => None,
    }
}

fn viewed(event: &VisitEvent) -> Option<&str> {
    match event {
        VisitEvent::ShowcaseViewed { task_id, .. } => Some(task_id),
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
        | VisitEvent::DiaryRead { .. } => None,
    }
}

fn liked(kind: ReactionKind, target: &Target) -> Option<&str> {
    match kind {
        ReactionKind::Like => case(target),
        ReactionKind::Collect | ReactionKind::Praise | ReactionKind::Sign | ReactionKind::Vote => {
            None
        }
    }
}

fn case(target: &Target) -> Option<&str> {
    (target.kind == TargetKind::Showcase).then_some(&target.id)
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    cases: BTreeMap<&'f str, Changed<'f>>,
    files: Rows<(&'f str, &'f str), NewFile<'f>>,
}

/// New values of a case, and by how much its counters move.
#[derive(Default)]
struct Changed<'f> {
    position: Option<i64>,
    user_id: Option<&'f str>,
    /// Milliseconds since the epoch.
    update_time: Option<i64>,
    score: Option<Score>,
    industry: Option<Industry>,
    shown: Option<bool>,
    counts: Counts,
}

/// A file that was added.
struct NewFile<'f> {
    file: &'f ShowcaseFile,
    /// Milliseconds since the epoch.
    create_time: i64,
    position: i64,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) {
        if let Some((id, counts)) = counts(&fact.event) {
            let sum = &mut self.of(id).counts;
            sum.views += counts.views;
            sum.likes += counts.likes;
            sum.comments += counts.comments;
        }
        let Event::Showcase(event) = &fact.event else {
            return;
        };
        let id = fact.place.stream.id.as_str();
        let position = fact.place.position;
        let at = fact.place.recorded_at.timestamp_millis();
        match event {
            ShowcaseEvent::ShowcasePublished {
                user_id,
                industry,
                score_hundredths,
            } => {
                let case = self.of(id);
                case.position = Some(position);
                case.user_id = Some(user_id);
                case.update_time = Some(at);
                case.score = Some(*score_hundredths);
                case.industry = Some(*industry);
                case.shown = Some(true);
            }
            ShowcaseEvent::ShowcaseEdited { user_id, industry } => {
                let case = self.of(id);
                case.user_id = user_id.as_deref().or(case.user_id);
                case.industry = industry.or(case.industry);
                case.update_time = Some(at);
            }
            ShowcaseEvent::ShowcaseScored { score_hundredths } => {
                let case = self.of(id);
                case.score = Some(*score_hundredths);
                case.update_time = Some(at);
            }
            ShowcaseEvent::ShowcaseFileAdded(file) => {
                let row = NewFile {
                    file,
                    create_time: at,
                    position,
                };
                self.files.come((id, &file.file_id), row);
            }
            ShowcaseEvent::ShowcaseFileRemoved { file_id } => self.files.go((id, file_id)),
            ShowcaseEvent::ShowcaseWithdrawn {} => self.of(id).shown = Some(false),
            ShowcaseEvent::ShowcaseRestored {} => self.of(id).shown = Some(true),
        }
    }

    fn of(&mut self, id: &'f str) -> &mut Changed<'f> {
        self.cases.entry(id).or_default()
    }
}
