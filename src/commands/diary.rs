//! What can be asked of a diary, and the rules that answer (`zhugeleida.md` section 4). That there is no diary without its
//! case: [`CreateDiary`] and [`DeleteDiary`] say the same on the case's stream, whose own rule refuses to go before them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::case::{CaseCommand, CaseError};
use super::{Book, Decide, Operation, Stop, changed};
use crate::events::diary::{CoverShowType, DiaryPage, LiveDiary};
use crate::events::{Case, Diary, DiaryEvent};

/// What can be asked of a diary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiaryCommand {
    /// Write it, not shown yet. That the case is there is the operation's to guard.
    Create {
        /// The case it belongs to.
        case_id: i64,
        /// Whose case that is.
        company_id: i64,
        /// What stands in it.
        page: DiaryPage,
    },
    /// Write it otherwise.
    Edit(DiaryEdit),
    /// Show it.
    Publish,
    /// Show it no longer.
    Withdraw,
    /// Remove it. Its case records the same in the same job.
    Delete,
}

/// What changes; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `DiaryEvent`")]
pub struct DiaryEdit {
    pub title: Option<String>,
    pub diary_date: Option<DateTime<Utc>>,
    pub cover_picture: Option<String>,
    pub content: Option<String>,
    pub cover_show_type: Option<CoverShowType>,
}

/// Why a diary says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum DiaryError {
    /// There is no such diary (or no longer).
    #[error("there is no such diary")]
    NotFound,
    /// The id is taken.
    #[error("the diary exists already")]
    Exists,
    /// Its case says no: it is not there, or has no room.
    #[error(transparent)]
    Case(CaseError),
}

impl Decide for Diary {
    type Command = DiaryCommand;
    type Refusal = DiaryError;

    fn decide(&self, command: &DiaryCommand) -> Result<Vec<DiaryEvent>, DiaryError> {
        match (command, self) {
            (
                DiaryCommand::Create {
                    case_id,
                    company_id,
                    page,
                },
                Self::Unwritten,
            ) => Ok(vec![written(*case_id, *company_id, page)]),
            (DiaryCommand::Create { .. }, Self::Live(_) | Self::Deleted { .. }) => {
                Err(DiaryError::Exists)
            }
            (command, Self::Live(diary)) => change(diary, command),
            (DiaryCommand::Delete, Self::Deleted { .. }) => Ok(vec![]),
            (_, Self::Unwritten | Self::Deleted { .. }) => Err(DiaryError::NotFound),
        }
    }
}

fn written(case_id: i64, company_id: i64, page: &DiaryPage) -> DiaryEvent {
    let page = page.clone();
    DiaryEvent::DiaryCreated {
        case_id,
        company_id,
        title: page.title,
        diary_date: page.diary_date,
        cover_picture: page.cover_picture,
        content: page.content,
        cover_show_type: page.cover_show_type,
    }
}

fn change(diary: &LiveDiary, command: &DiaryCommand) -> Result<Vec<DiaryEvent>, DiaryError> {
    let case_id = diary.case_id;
    Ok(match command {
        DiaryCommand::Create { .. } => return Err(DiaryError::Exists),
        DiaryCommand::Edit(edit) => edited(case_id, &diary.page, edit),
        DiaryCommand::Publish if diary.published => vec![],
        DiaryCommand::Publish => vec![DiaryEvent::DiaryPublished { case_id }],
        DiaryCommand::Withdraw if diary.published => vec![DiaryEvent::DiaryWithdrawn { case_id }],
        DiaryCommand::Withdraw => vec![],
        DiaryCommand::Delete => vec![DiaryEvent::DiaryDeleted { case_id }],
    })
}

/// Only what changes; nothing at all when nothing does.
fn edited(case_id: i64, old: &DiaryPage, edit: &DiaryEdit) -> Vec<DiaryEvent> {
    let edit = DiaryEdit {
        title: changed(edit.title.as_ref(), &old.title),
        diary_date: changed(edit.diary_date.as_ref(), &old.diary_date),
        cover_picture: changed(edit.cover_picture.as_ref(), &old.cover_picture),
        content: changed(edit.content.as_ref(), &old.content),
        cover_show_type: changed(edit.cover_show_type.as_ref(), &old.cover_show_type),
    };
    if edit == DiaryEdit::default() {
        return vec![];
    }
    vec![DiaryEvent::DiaryEdited {
        case_id,
        title: edit.title,
        diary_date: edit.diary_date,
        cover_picture: edit.cover_picture,
        content: edit.content,
        cover_show_type: edit.cover_show_type,
    }]
}

/// Writes a diary of a case that is there.
#[derive(Debug, Clone)]
pub struct CreateDiary {
    /// The new id.
    pub id: i64,
    /// The case it belongs to.
    pub case_id: i64,
    /// What stands in it.
    pub page: DiaryPage,
}

impl Operation for CreateDiary {
    /// The diary's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = DiaryError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<DiaryError>> {
        let (id, case) = (self.id.to_string(), self.case_id.to_string());
        // The diary comes first in the log: it is what was asked for.
        book.create::<Diary>(&id);
        let found = book.state::<Case>(&case).await?;
        let company_id = found.company_id().unwrap_or_default();
        let add = CaseCommand::AddDiary { diary_id: self.id };
        book.decide::<Case>(&case, &add)
            .await
            .map_err(|stop| stop.map(DiaryError::Case))?;
        let create = DiaryCommand::Create {
            case_id: self.case_id,
            company_id,
            page: self.page.clone(),
        };
        book.decide::<Diary>(&id, &create).await?;
        Ok(self.id)
    }
}

/// Removes a diary.
#[derive(Debug, Clone)]
pub struct DeleteDiary {
    /// The diary.
    pub id: i64,
}

impl Operation for DeleteDiary {
    type Outcome = ();
    type Refusal = DiaryError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<DiaryError>> {
        let id = self.id.to_string();
        let before = book.state::<Diary>(&id).await?;
        book.decide::<Diary>(&id, &DiaryCommand::Delete).await?;
        let Some(diary) = before.live() else {
            return Ok(());
        };
        let remove = CaseCommand::RemoveDiary { diary_id: self.id };
        book.decide::<Case>(&diary.case_id.to_string(), &remove)
            .await
            .map_err(|stop| stop.map(DiaryError::Case))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use rstest::rstest;

    use super::*;

    fn rules() -> TestFramework<Diary> {
        TestFramework::with(())
    }

    fn page() -> DiaryPage {
        DiaryPage {
            title: "我的美白日记1".to_owned(),
            diary_date: DateTime::from_timestamp(1_548_654_600, 0).unwrap(),
            cover_picture: "{}".to_owned(),
            content: "{}".to_owned(),
            cover_show_type: CoverShowType::Pictures,
        }
    }

    fn made() -> DiaryEvent {
        written(7, 1, &page())
    }

    const PUBLISHED: DiaryEvent = DiaryEvent::DiaryPublished { case_id: 7 };
    const WITHDRAWN: DiaryEvent = DiaryEvent::DiaryWithdrawn { case_id: 7 };
    const DELETED: DiaryEvent = DiaryEvent::DiaryDeleted { case_id: 7 };

    #[test]
    fn a_diary_is_written_once() {
        let create = || DiaryCommand::Create {
            case_id: 7,
            company_id: 1,
            page: page(),
        };
        rules()
            .given_no_previous_events()
            .when(create())
            .then_expect_events(vec![made()]);
        for given in [vec![made()], vec![made(), DELETED]] {
            rules()
                .given(given)
                .when(create())
                .then_expect_error(DiaryError::Exists);
        }
    }

    #[test]
    fn an_edit_records_what_changes() {
        let edit = DiaryCommand::Edit(DiaryEdit {
            title: Some("我的美白日记1".to_owned()),
            cover_show_type: Some(CoverShowType::Video),
            ..DiaryEdit::default()
        });
        let edited = DiaryEvent::DiaryEdited {
            case_id: 7,
            title: None,
            diary_date: None,
            cover_picture: None,
            content: None,
            cover_show_type: Some(CoverShowType::Video),
        };
        rules()
            .given(vec![made()])
            .when(edit.clone())
            .then_expect_events(vec![edited.clone()]);
        rules()
            .given(vec![made(), edited])
            .when(edit)
            .then_expect_events(vec![]);
    }

    #[test]
    fn a_diary_is_shown_taken_from_sight_and_removed() {
        for (given, command, events) in [
            (vec![made()], DiaryCommand::Publish, vec![PUBLISHED]),
            (vec![made(), PUBLISHED], DiaryCommand::Publish, vec![]),
            (
                vec![made(), PUBLISHED],
                DiaryCommand::Withdraw,
                vec![WITHDRAWN],
            ),
            (vec![made()], DiaryCommand::Withdraw, vec![]),
            (vec![made(), PUBLISHED], DiaryCommand::Delete, vec![DELETED]),
            (vec![made(), DELETED], DiaryCommand::Delete, vec![]),
        ] {
            rules()
                .given(given)
                .when(command)
                .then_expect_events(events);
        }
    }

    #[rstest]
    #[case(DiaryCommand::Edit(DiaryEdit::default()))]
    #[case(DiaryCommand::Publish)]
    #[case(DiaryCommand::Withdraw)]
    fn nothing_is_asked_of_a_diary_that_is_not_there(#[case] command: DiaryCommand) {
        for given in [vec![], vec![made(), DELETED]] {
            rules()
                .given(given)
                .when(command.clone())
                .then_expect_error(DiaryError::NotFound);
        }
        rules()
            .given_no_previous_events()
            .when(DiaryCommand::Delete)
            .then_expect_error(DiaryError::NotFound);
    }
}
