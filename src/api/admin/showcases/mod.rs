//! Commands to customer cases (`weidu.md` section 4). What their audience does: `audience.rs`; uploading files: `upload.rs`.

mod audience;
mod upload;

use std::collections::BTreeSet;

use serde::Deserialize;
use tracing::warn;
use utoipa::ToSchema;

pub(super) use audience::{AddReaction, RecordShowcaseView, RemoveReaction};
pub(super) use upload::{__path_upload, upload};

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Target, bit};
use crate::api::app::App;
use crate::commands::showcase::{
    self, FileName, NewFile, Preview, ShowcaseCommand, ShowcaseEdit, is_id, new_id,
};
use crate::events::showcase::{Industry, Score};
use crate::events::{self, Event, Showcase, ShowcaseEvent};
use crate::ledger::{LoadError, StreamId};

/// The largest size of a file that JSON keeps exact.
const MOST_BYTES: u64 = 1 << 53;

/// A customer case.
pub(super) struct ShowcaseId(pub String);

impl Target for ShowcaseId {
    const AGGREGATE: &'static str = "Showcase";

    fn parse(id: &str) -> Option<Self> {
        is_id(id).then(|| Self(id.to_owned()))
    }

    fn id(&self) -> String {
        self.0.clone()
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Showcase>(&self.0).await?;
        Ok((found.version > 0).then_some(bit::WEIDU))
    }
}

/// Publish a case, under an id of 26 characters or a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishShowcase {
    /// The id of its author's account, without the realm.
    user_id: String,
    /// 1 brand design, 2 film and video, 3 company website, 4 animation design, 5 game, 6 visual effects.
    industry_type: i64,
    /// 0 to 100, at most 2 decimals.
    #[serde(default)]
    score: f64,
}

impl Fields for PublishShowcase {
    const NAME: &'static str = "PublishShowcase";

    fn check(&self, flaws: &mut Flaws) {
        industry(flaws, self.industry_type);
        score(flaws, self.score);
    }
}

impl StaffCreation for PublishShowcase {
    type Target = ShowcaseId;
    const BIT: u64 = bit::WEIDU;
    const MAY_BE_NAMED: bool = true;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        self.run_named(call, ShowcaseId(new_id())).await
    }

    async fn run_named(self, call: Call, case: ShowcaseId) -> Result<Success, Failure> {
        let publish = showcase::PublishShowcase {
            id: case.0,
            user_id: self.user_id,
            industry: checked(Industry::from_number(self.industry_type))?,
            score: checked(hundredths(self.score))?,
        };
        let done = call.app.desk().run(&call.request, &publish).await?;
        // A repeated key answers the case that the first request published.
        let id = done.outcome.clone();
        Ok(Success::of::<ShowcaseId, _>(&call.app, &id, &done))
    }
}

/// Describe a case otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditShowcase {
    /// 1 to 6.
    industry_type: Option<i64>,
    /// The id of its author's account, without the realm.
    user_id: Option<String>,
}

impl Fields for EditShowcase {
    const NAME: &'static str = "EditShowcase";

    fn check(&self, flaws: &mut Flaws) {
        match (self.industry_type, &self.user_id) {
            (Some(number), _) => industry(flaws, number),
            (None, Some(_)) => {}
            (None, None) => {
                for field in ["industry_type", "user_id"] {
                    flaws.say(field, "one of industry_type and user_id must be there");
                }
            }
        }
    }
}

impl StaffCommand for EditShowcase {
    type Target = ShowcaseId;

    async fn run(self, call: Call, case: ShowcaseId) -> Result<Success, Failure> {
        let edit = showcase::EditShowcase {
            id: case.id(),
            edit: ShowcaseEdit {
                user_id: self.user_id,
                industry: self.industry_type.and_then(Industry::from_number),
            },
        };
        let done = call.app.desk().run(&call.request, &edit).await?;
        Ok(Success::of::<ShowcaseId, _>(&call.app, &case.0, &done))
    }
}

/// Value a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScoreShowcase {
    /// 0 to 100, at most 2 decimals.
    score: f64,
}

impl Fields for ScoreShowcase {
    const NAME: &'static str = "ScoreShowcase";

    fn check(&self, flaws: &mut Flaws) {
        score(flaws, self.score);
    }
}

impl StaffCommand for ScoreShowcase {
    type Target = ShowcaseId;

    async fn run(self, call: Call, case: ShowcaseId) -> Result<Success, Failure> {
        let score = checked(hundredths(self.score))?;
        execute(call, case, ShowcaseCommand::Score { score }).await
    }
}

/// Add a file that lies elsewhere, by its description. The answer shows its id: `data.file_id`. To upload one, see
/// `/admin/showcases/{task_id}/files`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddShowcaseFile {
    /// 1 to 200 characters with an extension, no `/`.
    name: String,
    /// Bytes, at most 2^53.
    size: u64,
    /// As `image/jpeg`.
    mime_type: String,
    /// Pixels.
    #[serde(default)]
    width: u32,
    /// Pixels.
    #[serde(default)]
    height: u32,
    /// Has it a preview? A `preview_path` says so, too.
    has_pre_img: Option<bool>,
    /// The id of who supplied it, without the realm; by default the case's author.
    user_id: Option<String>,
    /// 26 characters; by default a new one.
    file_id: Option<String>,
    /// Where it is served; by default as the list documents it.
    path: Option<String>,
    /// Where its preview is served; by default as the list documents it.
    preview_path: Option<String>,
}

impl Fields for AddShowcaseFile {
    const NAME: &'static str = "AddShowcaseFile";

    fn check(&self, flaws: &mut Flaws) {
        if let Err(bad) = FileName::parse(self.name.trim()) {
            flaws.say("name", bad.to_string());
        }
        if self.size > MOST_BYTES {
            flaws.say("size", "must be at most 2^53");
        }
        flaws.chars("mime_type", &self.mime_type, 3..=127);
        let visible = self.mime_type.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || !self.mime_type.contains('/') {
            flaws.say("mime_type", "must be a media type");
        }
        if self.file_id.as_ref().is_some_and(|id| !is_id(id)) {
            flaws.say("file_id", "must be an id of 26 characters");
        }
        if let Some(text) = &self.path {
            path(flaws, "path", text);
        }
        if let Some(text) = &self.preview_path {
            path(flaws, "preview_path", text);
            if self.has_pre_img == Some(false) {
                flaws.say("preview_path", "has no place without a preview");
            }
        }
    }
}

impl StaffCommand for AddShowcaseFile {
    type Target = ShowcaseId;

    async fn run(self, call: Call, case: ShowcaseId) -> Result<Success, Failure> {
        let preview = match self.preview_path {
            Some(path) => Preview::At(path),
            None if self.has_pre_img == Some(true) => Preview::Beside,
            None => Preview::None,
        };
        let add = showcase::AddShowcaseFile {
            id: case.id(),
            file: NewFile {
                file_id: self.file_id.unwrap_or_else(new_id),
                user_id: self.user_id,
                name: checked(FileName::parse(self.name.trim()).ok())?,
                mime_type: self.mime_type,
                size_bytes: self.size,
                width_pixels: self.width,
                height_pixels: self.height,
                path: self.path,
                preview,
                day: showcase::day(call.app.now()),
                sha256: None,
            },
        };
        let done = call.app.desk().run(&call.request, &add).await?;
        let success = Success::of::<ShowcaseId, _>(&call.app, &case.0, &done);
        Ok(success.with("file_id", done.outcome.file_id))
    }
}

/// Remove a file of a case; what was uploaded is deleted. That there is no such file is as good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveShowcaseFile {
    /// Its id.
    file_id: String,
}

impl Fields for RemoveShowcaseFile {
    const NAME: &'static str = "RemoveShowcaseFile";
}

impl StaffCommand for RemoveShowcaseFile {
    type Target = ShowcaseId;

    async fn run(self, call: Call, case: ShowcaseId) -> Result<Success, Failure> {
        let file_id = self.file_id;
        let remove = ShowcaseCommand::RemoveFile {
            file_id: file_id.clone(),
        };
        let app = call.app.clone();
        let id = case.id();
        let success = execute(call, case, remove).await?;
        // Also when it was removed before: the bytes may have stayed when the service went down in between.
        if let Err(error) = remove_bytes(&app, &id, &file_id).await {
            warn!(showcase.id = %id, error, "The bytes of file {file_id} stay until it is removed again: {error}");
        }
        Ok(success)
    }
}

/// The state of a case does not know where its files lie, its events do. Only what was uploaded here is ours to delete.
async fn remove_bytes(app: &App, id: &str, file_id: &str) -> Result<(), String> {
    let stream = StreamId::new(ShowcaseId::AGGREGATE, id);
    let stored = app.ledger().stream(&stream).await;
    let mut uploaded = BTreeSet::new();
    for event in &stored.map_err(|error| error.to_string())? {
        let event = events::decode(event).map_err(|error| error.to_string())?;
        if let Event::Showcase(ShowcaseEvent::ShowcaseFileAdded(file)) = event
            && file.file_id == file_id
            && file.sha256.is_some()
        {
            uploaded.insert(file.path);
            uploaded.extend(file.preview_path);
        }
    }
    for key in uploaded {
        let removed = app.files().delete(&key).await;
        removed.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Show a case to nobody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawShowcase {}

impl Fields for WithdrawShowcase {
    const NAME: &'static str = "WithdrawShowcase";
}

impl StaffCommand for WithdrawShowcase {
    type Target = ShowcaseId;

    async fn run(self, call: Call, case: ShowcaseId) -> Result<Success, Failure> {
        execute(call, case, ShowcaseCommand::Withdraw).await
    }
}

/// Show a withdrawn case again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreShowcase {}

impl Fields for RestoreShowcase {
    const NAME: &'static str = "RestoreShowcase";
}

impl StaffCommand for RestoreShowcase {
    type Target = ShowcaseId;

    async fn run(self, call: Call, case: ShowcaseId) -> Result<Success, Failure> {
        execute(call, case, ShowcaseCommand::Restore).await
    }
}

async fn execute(
    call: Call,
    case: ShowcaseId,
    command: ShowcaseCommand,
) -> Result<Success, Failure> {
    let id = case.id();
    let desk = call.app.desk();
    let done = desk
        .execute::<Showcase>(&call.request, &id, command)
        .await?;
    Ok(Success::of::<ShowcaseId, _>(&call.app, &id, &done))
}

fn industry(flaws: &mut Flaws, number: i64) {
    if Industry::from_number(number).is_none() {
        flaws.say("industry_type", "must be 1 to 6");
    }
}

fn score(flaws: &mut Flaws, score: f64) {
    if !(0.0..=100.0).contains(&score) {
        flaws.say("score", "must be 0 to 100");
    } else if hundredths(score).is_none() {
        flaws.say("score", "must have at most 2 decimals");
    }
}

/// A score that has two decimals is the number closest to a whole number of hundredths, and dividing gives that number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "out of range it saturates and then differs; being the same number is what is asked"
)]
fn hundredths(score: f64) -> Option<Score> {
    let hundredths = (score * 100.0).round() as u16;
    let same = f64::from(hundredths) / 100.0 == score;
    same.then(|| Score::from_hundredths(hundredths)).flatten()
}

/// Below the folder of all files, and nowhere else.
fn path(flaws: &mut Flaws, field: &str, text: &str) {
    flaws.chars(field, text, 1..=1024);
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    if !text.split('/').all(plain) || text.contains(|c: char| c == '\\' || c.is_control()) {
        flaws.say(field, "must be a relative path");
    }
}

/// What [`Fields::check`] has let pass.
fn checked<T>(value: Option<T>) -> Result<T, Failure> {
    value.ok_or(Failure::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_has_two_decimals_and_not_more() {
        let read = |text: &str| hundredths(serde_json::from_str(text).unwrap());
        for (text, expected) in [
            ("0", 0),
            ("-0.0", 0),
            ("90", 9_000),
            ("90.0", 9_000),
            ("0.29", 29),
            ("0.57", 57),
            ("89.99", 8_999),
            ("99.10", 9_910),
            ("1e2", 10_000),
        ] {
            assert_eq!(read(text), Score::from_hundredths(expected), "{text}");
        }
        for bad in [
            "0.001", "89.999", "99.995", "100.01", "-0.01", "655.36", "1e300",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        for hundredths_of_it in 0..=Score::MOST_HUNDREDTHS {
            let (whole, rest) = (hundredths_of_it / 100, hundredths_of_it % 100);
            let found = read(&format!("{whole}.{rest:02}"));
            assert_eq!(found, Score::from_hundredths(hundredths_of_it));
        }
    }
}
