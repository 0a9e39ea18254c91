//! Files of cases: their names, and where they are served.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use crate::events::showcase::ShowcaseFile;

/// Days in paths are those of UTC+8 (contract README 2.2).
const WALL: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("eight hours");
/// Characters of a name, at most.
pub const NAME_MAX: usize = 200;
/// Characters of an extension, at most.
const EXTENSION_MAX: usize = 16;
/// What a preview is called behind the name it is of.
const PREVIEW: &str = "_preview.jpg";

/// The day of a moment as paths have it: `20210203`.
#[must_use]
pub fn day(at: DateTime<Utc>) -> String {
    at.with_timezone(&WALL).format("%Y%m%d").to_string()
}

/// A name with an extension that can stand in a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileName(String);

/// Why a text is no name of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Its length.
    #[error("must be 1 to 200 characters")]
    Length,
    /// `/`, `\` or a control character.
    #[error("must not contain /, \\ or control characters")]
    Character,
    /// Nothing but an extension, none, or a strange one.
    #[error("must end with an extension of letters and digits")]
    Extension,
}

impl FileName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if !(1..=NAME_MAX).contains(&text.chars().count()) {
            return Err(BadName::Length);
        }
        if text.contains(|c: char| c == '/' || c == '\\' || c.is_control()) {
            return Err(BadName::Character);
        }
        let (stem, extension) = text.rsplit_once('.').ok_or(BadName::Extension)?;
        let letters = extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if stem.is_empty() || !letters || !(1..=EXTENSION_MAX).contains(&extension.len()) {
            return Err(BadName::Extension);
        }
        Ok(Self(text.to_owned()))
    }

    /// The same, cut so that its preview has a name of at most so many bytes: file systems end at 255.
    #[must_use]
    pub fn fitting(self, most_bytes: usize) -> Self {
        let (stem, extension) = self.0.rsplit_once('.').unwrap_or((&self.0, ""));
        let room = most_bytes.saturating_sub(PREVIEW.len().max(extension.len() + 1));
        if stem.len() <= room {
            return self;
        }
        let boundary = |cut: &usize| stem.is_char_boundary(*cut);
        let cut = (0..=room).rev().find(boundary).unwrap_or(0);
        Self(format!("{}.{extension}", &stem[..cut]))
    }

    /// It, extension included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its preview.
    fn preview(&self) -> String {
        let stem = self.0.rsplit_once('.').map_or("", |(stem, _)| stem);
        format!("{stem}{PREVIEW}")
    }
}

/// Whether a file has a preview, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// It has none.
    None,
    /// Beside the file, under the documented name.
    Beside,
    /// Under this path.
    At(String),
}

/// A file that is to belong to a case. Whoever supplies it is the author of the case unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `ShowcaseFile`")]
pub struct NewFile {
    pub file_id: String,
    pub user_id: Option<String>,
    pub name: FileName,
    pub mime_type: String,
    pub size_bytes: u64,
    pub width_pixels: u32,
    pub height_pixels: u32,
    /// Where it is served; `None`: where the document says, under `day`.
    pub path: Option<String>,
    pub preview: Preview,
    /// The day of the path, from [`day`].
    pub day: String,
    pub sha256: Option<String>,
}

impl NewFile {
    /// The file as it is recorded.
    #[must_use]
    pub fn of(&self, task_id: &str, author: &str) -> ShowcaseFile {
        let user_id = self.user_id.as_deref().unwrap_or(author);
        let Self {
            file_id, day, name, ..
        } = self;
        let folder = format!("{day}/task/{task_id}/users/{user_id}/{file_id}");
        let path = match &self.path {
            Some(path) => path.clone(),
            None => format!("{folder}/{}", name.as_str()),
        };
        let preview_path = match &self.preview {
            Preview::None => None,
            // Beside the file also where that is somewhere else.
            Preview::Beside => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                Some(format!("{folder}/{}", name.preview()))
            }
            Preview::At(path) => Some(path.clone()),
        };
        ShowcaseFile {
            file_id: file_id.clone(),
            user_id: user_id.to_owned(),
            name: name.as_str().to_owned(),
            mime_type: self.mime_type.clone(),
            size_bytes: self.size_bytes,
            width_pixels: self.width_pixels,
            height_pixels: self.height_pixels,
            path,
            preview_path,
            sha256: self.sha256.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_an_extension_and_stands_in_one_folder() {
        for good in ["a.b", "fabu.jpg", "发布 1.最终.JPEG", "..x.png", "#?%.gif"] {
            assert_eq!(FileName::parse(good).unwrap().as_str(), good);
        }
        let long = format!("{}.jpg", "长".repeat(197));
        for (bad, why) in [
            ("", BadName::Length),
            (long.as_str(), BadName::Length),
            ("a/b.jpg", BadName::Character),
            ("a\\b.jpg", BadName::Character),
            ("a\n.jpg", BadName::Character),
            ("fabu", BadName::Extension),
            ("fabu.", BadName::Extension),
            (".jpg", BadName::Extension),
            ("..", BadName::Extension),
            ("a.图", BadName::Extension),
            ("a.b#1", BadName::Extension),
        ] {
            assert_eq!(FileName::parse(bad), Err(why), "{bad}");
        }
        assert!(FileName::parse(&long.replacen('长', "", 1)).is_ok());
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let name = FileName::parse(&format!("{}.jpeg", "长".repeat(195))).unwrap();
        let cut = name.fitting(255);
        assert_eq!(cut.as_str(), format!("{}.jpeg", "长".repeat(81)));
        assert_eq!(cut.preview().len(), 255);
        let short = FileName::parse("fabu.jpg").unwrap();
        assert_eq!(short.clone().fitting(255), short);
    }

    #[test]
    fn a_day_begins_at_four_in_the_afternoon_utc() {
        let at = |text: &str| day(text.parse().unwrap());
        assert_eq!(at("2021-02-03T15:59:59.999Z"), "20210203");
        assert_eq!(at("2021-02-03T16:00:00Z"), "20210204");
    }

    #[test]
    fn paths_are_as_documented_unless_given() {
        let mut new = NewFile {
            file_id: "eft1p6e73benbpxs6urnxetnkc".to_owned(),
            user_id: None,
            name: FileName::parse("timg.jpeg").unwrap(),
            mime_type: "image/jpeg".to_owned(),
            size_bytes: 403_482,
            width_pixels: 800,
            height_pixels: 1084,
            path: None,
            preview: Preview::Beside,
            day: "20210203".to_owned(),
            sha256: None,
        };
        let task = "ofargqanbpeeinswoigjae9rpe";
        let author = "esbng8qjsfn5jr355ikcr4aajr";
        let file = new.of(task, author);
        let folder = "20210203/task/ofargqanbpeeinswoigjae9rpe/users/esbng8qjsfn5jr355ikcr4aajr/eft1p6e73benbpxs6urnxetnkc";
        assert_eq!(file.path, format!("{folder}/timg.jpeg"));
        let preview = format!("{folder}/timg_preview.jpg");
        assert_eq!(file.preview_path, Some(preview));
        new.path = Some("old/timg.jpeg".to_owned());
        assert_eq!(
            new.of(task, author).preview_path.as_deref(),
            Some("old/timg_preview.jpg")
        );
        new.preview = Preview::At("else/p.jpg".to_owned());
        new.user_id = Some("b1onnbw3ebbjtenaco9fxa16ke".to_owned());
        let file = new.of(task, author);
        assert_eq!(file.path, "old/timg.jpeg");
        assert_eq!(file.preview_path.as_deref(), Some("else/p.jpg"));
        assert_eq!(file.user_id, "b1onnbw3ebbjtenaco9fxa16ke");
        new.preview = Preview::None;
        assert_eq!(new.of(task, author).preview_path, None);
    }
}
