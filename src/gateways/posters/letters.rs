//! Letters: which there are, how wide they are, and where a line of them breaks.

use std::path::Path;
use std::sync::Arc;

use resvg::usvg::fontdb::{Database, Source};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use tracing::warn;

/// The family of our own fonts.
pub const FAMILY: &str = "Noto Sans CJK SC";

static REGULAR: &[u8] = include_bytes!("../../../assets/fonts/NotoSansCJKsc-Regular.otf");
static BOLD: &[u8] = include_bytes!("../../../assets/fonts/NotoSansCJKsc-Bold.otf");

/// Largest font file that is looked at, in bytes: it is held in memory.
const FONT_BYTES_MAX: u64 = 64 << 20;
/// Never at the beginning of a line.
const CLOSING: &str = "，。、；：？！…）》」』】”’,.;:?!)%·";
/// Where words of letters end.
const CUT: char = '…';

/// How thick letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Plain text.
    Regular,
    /// Names.
    Bold,
}

impl Weight {
    fn font(self) -> &'static [u8] {
        match self {
            Weight::Regular => REGULAR,
            Weight::Bold => BOLD,
        }
    }

    /// As SVG has it.
    pub fn number(self) -> u16 {
        match self {
            Weight::Regular => 400,
            Weight::Bold => 700,
        }
    }
}

/// All fonts there are: ours, and those of a folder for characters that ours lack.
pub struct Letters {
    fonts: Arc<Database>,
    /// Of the folder.
    more: Vec<Vec<u8>>,
}

impl Letters {
    /// Reads the fonts of the folder; ours are in the program.
    pub fn read(folder: Option<&Path>) -> Self {
        let mut fonts = Database::new();
        for own in [REGULAR, BOLD] {
            fonts.load_font_source(Source::Binary(Arc::new(own)));
        }
        let more = folder.map(read_folder).unwrap_or_default();
        for file in &more {
            fonts.load_font_data(file.clone());
        }
        Self {
            fonts: Arc::new(fonts),
            more,
        }
    }

    /// For the one who draws them.
    pub fn fonts(&self) -> Arc<Database> {
        Arc::clone(&self.fonts)
    }

    /// One line of what can be drawn: other characters are left out, blanks and line ends are one blank.
    pub fn drawable(&self, text: &str) -> String {
        let known = |word: &str| -> String {
            let known = word.chars().filter(|&letter| self.has(letter));
            known.collect()
        };
        let words = text.split_whitespace().map(known);
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    fn has(&self, letter: char) -> bool {
        let more = self.more.iter().map(Vec::as_slice);
        [REGULAR].into_iter().chain(more).any(|font| {
            faces(font).any(|face| {
                let glyph = face.charmap().map(letter);
                glyph.is_some()
            })
        })
    }
}

/// The text in at most so many lines of at most that width, cut where it is longer.
pub fn lines(text: &str, (weight, size): (Weight, f32), width: f32, most: usize) -> Vec<String> {
    let fits = |line: &str| self::width(line, weight, size) <= width;
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if fits(rest) {
            lines.push(rest.to_owned());
            break;
        }
        if lines.len() + 1 == most {
            lines.push(cut(rest, fits));
            break;
        }
        let end = break_of(rest, fits);
        lines.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    lines
}

/// How wide a text is at a size.
pub fn width(text: &str, weight: Weight, size: f32) -> f32 {
    let Ok(face) = FontRef::new(weight.font()) else {
        return 0.0;
    };
    let metrics = face.glyph_metrics(Size::new(size), LocationRef::default());
    let charmap = face.charmap();
    let advance = |letter| {
        let glyph = charmap.map(letter)?;
        metrics.advance_width(glyph)
    };
    // What comes from other fonts is Chinese, and as wide as it is high.
    text.chars().map(|it| advance(it).unwrap_or(size)).sum()
}

/// Where a line that is too long breaks, in bytes: behind the last character that fits, but neither inside a word of Latin
/// letters nor in front of what closes a sentence.
fn break_of(text: &str, fits: impl Fn(&str) -> bool) -> usize {
    let ends: Vec<usize> = text
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8())
        .collect();
    let fitting = ends.partition_point(|&end| fits(&text[..end])).max(1);
    let hard = ends[fitting - 1];
    let may = |end: &&usize| {
        let (before, after) = (text[..**end].chars().last(), text[**end..].chars().next());
        let latin = |it: Option<char>| it.is_some_and(|it| it.is_ascii() && it != ' ');
        let inside = latin(before) && latin(after);
        let closes = after.is_some_and(|it| CLOSING.contains(it));
        !(inside || closes)
    };
    let soft = ends[..fitting].iter().rev().find(may);
    soft.copied().unwrap_or(hard)
}

/// As much as fits in front of what says that there was more.
fn cut(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let mut kept = text.to_owned();
    while kept.pop().is_some() {
        let line = format!("{}{CUT}", kept.trim_end());
        if fits(&line) {
            return line;
        }
    }
    CUT.to_string()
}

/// Files of collections have several.
fn faces(font: &[u8]) -> impl Iterator<Item = FontRef<'_>> {
    FontRef::fonts(font).filter_map(Result::ok)
}

/// Fonts are a nicety: what cannot be read is said and left out.
fn read_folder(folder: &Path) -> Vec<Vec<u8>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let folder = folder.display();
            warn!("The folder of fonts {folder} cannot be read: {error}");
            return Vec::new();
        }
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut paths: Vec<_> = paths.filter(|path| is_font(path)).collect();
    // The order decides whose character is drawn.
    paths.sort();
    let files = paths.into_iter().filter_map(|path| {
        let small = std::fs::metadata(&path).is_ok_and(|it| it.len() <= FONT_BYTES_MAX);
        let file = small.then(|| std::fs::read(&path).ok()).flatten();
        if file.is_none() {
            warn!("The font {} cannot be read", path.display());
        }
        file
    });
    files.collect()
}

fn is_font(path: &Path) -> bool {
    let extension = path.extension().and_then(|it| it.to_str());
    extension.is_some_and(|it| ["otf", "ttc", "ttf"].contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters() -> Letters {
        Letters::read(None)
    }

    #[test]
    fn names_of_people_and_companies_are_there() {
        let text =
            "张聪 王喆堃 李玥 陳淑華 北京打铁的信息科技有限公司（中国）“A·b” 138-0013 ￥Ünal";
        assert_eq!(letters().drawable(text), text);
    }

    #[test]
    fn what_no_font_has_is_left_out() {
        assert_eq!(letters().drawable(" 阳光\n少年🌞 \u{7} x "), "阳光 少年 x");
        assert_eq!(letters().drawable("🌞"), "");
    }

    #[test]
    fn a_folder_of_fonts_may_be_missing_or_full_of_other_things() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.otf"), b"no font").unwrap();
        std::fs::write(folder.path().join("b.txt"), b"no font").unwrap();
        for folder in [folder.path(), &folder.path().join("none")] {
            assert_eq!(Letters::read(Some(folder)).drawable("张"), "张");
        }
    }

    #[test]
    fn chinese_is_as_wide_as_high() {
        let width = width("张聪", Weight::Regular, 50.0);
        assert!((width - 100.0).abs() < 0.01, "{width}");
        let narrow = super::width("il", Weight::Bold, 50.0);
        assert!(narrow > 0.0 && narrow < 50.0, "{narrow}");
    }

    #[test]
    fn lines_break_where_readers_expect_it_and_end_in_time() {
        let lines = |text, most| super::lines(text, (Weight::Regular, 10.0), 50.0, most);
        assert_eq!(lines("", 2), [""; 0]);
        assert_eq!(lines("一二三四五", 2), ["一二三四五"]);
        assert_eq!(lines("一二三四五六", 2), ["一二三四五", "六"]);
        // Never a comma first.
        assert_eq!(lines("一二三四五，六", 2), ["一二三四", "五，六"]);
        assert_eq!(lines("一二三 Great", 2), ["一二三", "Great"]);
        assert_eq!(
            lines("一二三四五六七八九十百千", 2),
            ["一二三四五", "六七八九…"]
        );
        // A word that no line can take is broken all the same.
        let long = lines("Donaudampfschifffahrt", 9);
        assert!(long.len() > 1 && long.concat() == "Donaudampfschifffahrt");
    }
}
