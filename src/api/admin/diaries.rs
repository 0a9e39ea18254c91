//! Commands to diaries of cases (`zhugeleida.md` section 4).

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::cases::{json, nothing};
use super::fields::Flaws;
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, Target, bit};
use crate::commands::diary::{self, DiaryCommand, DiaryEdit};
use crate::events::Diary;
use crate::events::diary::{CoverShowType, DiaryPage};

/// The largest cover or content, in bytes.
const TEXT: usize = 64 * 1024;
/// Wall time of the documents (contract README 2.2).
const WALL: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("eight hours");

/// Write a diary of a case. It begins unpublished.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateDiary {
    /// The case it belongs to, for good.
    case_id: i64,
    /// 1 to 100 characters.
    title: String,
    /// `YYYY-MM-DD HH:MM:SS`, UTC+8.
    #[schema(example = "2019-01-28 13:50:00")]
    diary_date: String,
    /// JSON as a text, at most 64 KiB.
    #[serde(default = "nothing")]
    #[schema(default = "{}")]
    cover_picture: String,
    /// JSON as a text, at most 64 KiB.
    #[serde(default = "nothing")]
    #[schema(default = "{}")]
    content: String,
    /// 1 pictures only, 2 video only.
    #[serde(default = "pictures")]
    #[schema(default = 1)]
    cover_show_type: i64,
}

fn pictures() -> i64 {
    1
}

impl Fields for CreateDiary {
    const NAME: &'static str = "CreateDiary";

    fn check(&self, flaws: &mut Flaws) {
        title(flaws, &self.title);
        diary_date(flaws, &self.diary_date);
        json(flaws, "cover_picture", &self.cover_picture, TEXT);
        json(flaws, "content", &self.content, TEXT);
        cover_show_type(flaws, self.cover_show_type);
    }
}

impl StaffCreation for CreateDiary {
    type Target = Numbered<Diary>;
    const BIT: u64 = bit::MINI_PROGRAM;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let create = diary::CreateDiary {
            id: call.app.ledger().next_id("diary").await?,
            case_id: self.case_id,
            page: DiaryPage {
                title: self.title.trim().to_owned(),
                // It was checked.
                diary_date: wall(&self.diary_date).unwrap_or_default(),
                cover_picture: self.cover_picture,
                content: self.content,
                cover_show_type: CoverShowType::from_number(self.cover_show_type)
                    .unwrap_or_default(),
            },
        };
        let done = call.app.desk().run(&call.request, &create).await?;
        // A repeated key answers the diary that the first request made.
        let id = done.outcome.to_string();
        Ok(Success::of::<Numbered<Diary>, _>(&call.app, &id, &done))
    }
}

/// Write a diary otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditDiary {
    /// 1 to 100 characters.
    title: Option<String>,
    /// `YYYY-MM-DD HH:MM:SS`, UTC+8.
    diary_date: Option<String>,
    /// JSON as a text, at most 64 KiB.
    cover_picture: Option<String>,
    /// JSON as a text, at most 64 KiB.
    content: Option<String>,
    /// 1 pictures only, 2 video only.
    cover_show_type: Option<i64>,
}

impl Fields for EditDiary {
    const NAME: &'static str = "EditDiary";

    fn check(&self, flaws: &mut Flaws) {
        if let Some(text) = &self.title {
            title(flaws, text);
        }
        if let Some(text) = &self.diary_date {
            diary_date(flaws, text);
        }
        if let Some(text) = &self.cover_picture {
            json(flaws, "cover_picture", text, TEXT);
        }
        if let Some(text) = &self.content {
            json(flaws, "content", text, TEXT);
        }
        if let Some(number) = self.cover_show_type {
            cover_show_type(flaws, number);
        }
    }
}

impl StaffCommand for EditDiary {
    type Target = Numbered<Diary>;

    async fn run(self, call: Call, diary: Numbered<Diary>) -> Result<Success, Failure> {
        let edit = DiaryCommand::Edit(DiaryEdit {
            title: self.title.map(|title| title.trim().to_owned()),
            diary_date: self.diary_date.as_deref().and_then(wall),
            cover_picture: self.cover_picture,
            content: self.content,
            cover_show_type: self.cover_show_type.and_then(CoverShowType::from_number),
        });
        execute::<Diary>(call, diary, edit).await
    }
}

plain! {
    /// Show a diary.
    PublishDiary to Numbered<Diary>: Diary, DiaryCommand::Publish
}

plain! {
    /// Show a diary no longer.
    WithdrawDiary to Numbered<Diary>: Diary, DiaryCommand::Withdraw
}

/// Remove a diary.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteDiary {}

impl Fields for DeleteDiary {
    const NAME: &'static str = "DeleteDiary";
}

impl StaffCommand for DeleteDiary {
    type Target = Numbered<Diary>;

    async fn run(self, call: Call, diary: Numbered<Diary>) -> Result<Success, Failure> {
        let delete = diary::DeleteDiary { id: diary.number };
        let done = call.app.desk().run(&call.request, &delete).await?;
        Ok(Success::of::<Numbered<Diary>, _>(
            &call.app,
            &diary.id(),
            &done,
        ))
    }
}

fn title(flaws: &mut Flaws, text: &str) {
    flaws.chars("title", text.trim(), 1..=100);
}

fn diary_date(flaws: &mut Flaws, text: &str) {
    if wall(text).is_none() {
        flaws.say("diary_date", "must be YYYY-MM-DD HH:MM:SS");
    }
}

fn cover_show_type(flaws: &mut Flaws, number: i64) {
    if CoverShowType::from_number(number).is_none() {
        flaws.say("cover_show_type", "must be 1 or 2");
    }
}

/// Wall time in its one spelling.
fn wall(text: &str) -> Option<DateTime<Utc>> {
    let there = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
    let at = there.and_local_timezone(WALL).single()?.to_utc();
    let four_digits = text.len() == "2019-01-28 13:50:00".len();
    four_digits.then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_wall_time_eight_hours_ahead() {
        let at = wall("2019-01-28 13:50:00").unwrap();
        assert_eq!(at.to_rfc3339(), "2019-01-28T05:50:00+00:00");
        for bad in [
            "",
            "2019-01-28",
            "2019-1-28 13:50:00",
            "2019-02-30 13:50:00",
        ] {
            assert!(wall(bad).is_none(), "{bad}");
        }
    }
}
