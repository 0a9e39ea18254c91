//! What can have happened to a diary (日记) of a case, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use chrono::serde::{ts_milliseconds, ts_milliseconds_option};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::set;
use crate::ledger::State;
use crate::stored_events;

/// Facts about a diary. Its stream is `Diary:{id}`, a positive integer. Every fact names the case, so that whoever follows
/// cases need not look it up; that the case has the diary stands on the case's stream, too, recorded in the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiaryEvent {
    /// It was written, not shown yet.
    DiaryCreated {
        /// The case it belongs to, for good.
        case_id: i64,
        /// Whose case that is.
        company_id: i64,
        /// 1…100 characters.
        title: String,
        /// The day it tells of, milliseconds since the epoch.
        #[serde(with = "ts_milliseconds")]
        diary_date: DateTime<Utc>,
        /// JSON as a text, verbatim, at most 64 KiB.
        cover_picture: String,
        /// JSON as a text, verbatim, at most 64 KiB.
        content: String,
        /// What its cover shows.
        cover_show_type: CoverShowType,
    },
    /// It is written otherwise. Only changed fields are there.
    DiaryEdited {
        /// The case it belongs to.
        case_id: i64,
        /// The new title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The new day, milliseconds since the epoch.
        #[serde(
            default,
            with = "ts_milliseconds_option",
            skip_serializing_if = "Option::is_none"
        )]
        diary_date: Option<DateTime<Utc>>,
        /// The new cover.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cover_picture: Option<String>,
        /// The new content.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<String>,
        /// What its cover shows now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cover_show_type: Option<CoverShowType>,
    },
    /// Everybody sees it: 已发.
    DiaryPublished {
        /// The case it belongs to.
        case_id: i64,
    },
    /// Nobody sees it: 未发.
    DiaryWithdrawn {
        /// The case it belongs to.
        case_id: i64,
    },
    /// It is gone for good.
    DiaryDeleted {
        /// The case it belonged to.
        case_id: i64,
    },
}

stored_events!(DiaryEvent {
    DiaryCreated: 1,
    DiaryEdited: 1,
    DiaryPublished: 1,
    DiaryWithdrawn: 1,
    DiaryDeleted: 1,
});

/// What the cover of a diary shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverShowType {
    /// 只展示图片.
    #[default]
    Pictures,
    /// 只展示视频.
    Video,
}

impl CoverShowType {
    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Pictures => 1,
            Self::Video => 2,
        }
    }

    /// That of a number on the wire.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Pictures),
            2 => Some(Self::Video),
            _ => None,
        }
    }
}

/// A diary as rules need to see it. Readers want `projections::diaries`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Diary {
    /// Never written.
    #[default]
    Unwritten,
    /// There, shown or not.
    Live(LiveDiary),
    /// Gone for good.
    Deleted {
        /// The case it belonged to.
        case_id: i64,
        /// Whose case that is.
        company_id: i64,
    },
}

/// What is known of a diary that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveDiary {
    /// The case it belongs to.
    pub case_id: i64,
    /// Whose case that is.
    pub company_id: i64,
    /// What stands in it.
    pub page: DiaryPage,
    /// Everybody sees it.
    pub published: bool,
}

/// What stands in a diary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of `DiaryEvent`")]
pub struct DiaryPage {
    pub title: String,
    pub diary_date: DateTime<Utc>,
    pub cover_picture: String,
    pub content: String,
    pub cover_show_type: CoverShowType,
}

impl Diary {
    /// What is known of it while it is there.
    #[must_use]
    pub fn live(&self) -> Option<&LiveDiary> {
        match self {
            Self::Live(diary) => Some(diary),
            Self::Unwritten | Self::Deleted { .. } => None,
        }
    }

    /// The case it belongs to, and whose that is; also once it is gone.
    #[must_use]
    pub fn belongs_to(&self) -> Option<(i64, i64)> {
        match self {
            Self::Unwritten => None,
            Self::Live(LiveDiary {
                case_id,
                company_id,
                ..
            })
            | Self::Deleted {
                case_id,
                company_id,
            } => Some((*case_id, *company_id)),
        }
    }
}

impl State for Diary {
    const TYPE: &'static str = "Diary";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = DiaryEvent;

    fn apply(&mut self, event: &DiaryEvent) {
        match (event, &mut *self) {
            (
                DiaryEvent::DiaryCreated {
                    case_id,
                    company_id,
                    title,
                    diary_date,
                    cover_picture,
                    content,
                    cover_show_type,
                },
                _,
            ) => {
                *self = Self::Live(LiveDiary {
                    case_id: *case_id,
                    company_id: *company_id,
                    page: DiaryPage {
                        title: title.clone(),
                        diary_date: *diary_date,
                        cover_picture: cover_picture.clone(),
                        content: content.clone(),
                        cover_show_type: *cover_show_type,
                    },
                    published: false,
                });
            }
            (
                DiaryEvent::DiaryEdited {
                    case_id: _,
                    title,
                    diary_date,
                    cover_picture,
                    content,
                    cover_show_type,
                },
                Self::Live(LiveDiary { page, .. }),
            ) => {
                set(&mut page.title, title.as_ref());
                set(&mut page.diary_date, diary_date.as_ref());
                set(&mut page.cover_picture, cover_picture.as_ref());
                set(&mut page.content, content.as_ref());
                set(&mut page.cover_show_type, cover_show_type.as_ref());
            }
            (DiaryEvent::DiaryPublished { .. }, Self::Live(diary)) => diary.published = true,
            (DiaryEvent::DiaryWithdrawn { .. }, Self::Live(diary)) => diary.published = false,
            (DiaryEvent::DiaryDeleted { .. }, Self::Live(diary)) => {
                *self = Self::Deleted {
                    case_id: diary.case_id,
                    company_id: diary.company_id,
                };
            }
            (
                DiaryEvent::DiaryEdited { .. }
                | DiaryEvent::DiaryPublished { .. }
                | DiaryEvent::DiaryWithdrawn { .. }
                | DiaryEvent::DiaryDeleted { .. },
                Self::Unwritten | Self::Deleted { .. },
            ) => {}
        }
    }
}
