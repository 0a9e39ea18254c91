//! Regular expressions: read as a linear-time engine reads them, written anew for PostgreSQL.
//!
//! The reader knows neither look-around nor back-references, so what it lets through needs no backtracking. The writer uses
//! groups, character classes spelt out as ranges, and bounded repetition, which mean the same in every locale; no character
//! of the caller's but letters and digits of ASCII is written as itself. What a pattern may cost is bounded by its weight.

use std::fmt::Write as _;

use regex_syntax::{
    ast::parse::ParserBuilder,
    hir::{Class, ClassUnicode, Hir, HirKind, Look, Repetition, translate::TranslatorBuilder},
};

use super::{MAX_PATTERN_CHARS, error::Fault, tame::tame};

/// How many states a pattern may come to when its repetitions are written out.
const MAX_WEIGHT: u64 = 1000;
/// How many ranges all its character classes may come to, as `\p{L}` has hundreds.
const MAX_RANGES: usize = 2000;
/// The highest count of a repetition; PostgreSQL has no higher.
const MAX_REPEAT: u32 = 255;
/// How deep groups may stand in each other.
const MAX_GROUPS: u32 = 32;

/// Between a character of a word, which is one of ASCII, and none.
const BOUNDARY: &str = "(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))";
/// Between two of one sort.
const NO_BOUNDARY: &str = "(?:(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<![0-9A-Za-z_])(?![0-9A-Za-z_]))";
/// A class that no text has a character of: PostgreSQL's never hold U+0000.
const NOTHING: &str = "[\\u0000]";

/// A regular expression for PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    for_postgres: String,
}

impl Pattern {
    /// Reads a pattern with options among `imsx`. Faults stand where they are in the pattern, in characters.
    pub(super) fn read(text: &str, options: &str) -> Result<Self, Fault> {
        if text.chars().count() > MAX_PATTERN_CHARS {
            return Err(Fault::at(0, "a pattern is too long"));
        }
        let place = |offset: usize| {
            text.get(..offset)
                .map_or(0, |before| before.chars().count())
        };
        let mut ast = ParserBuilder::new()
            .nest_limit(MAX_GROUPS)
            .ignore_whitespace(options.contains('x'))
            .build()
            .parse(text)
            .map_err(|error| {
                Fault::at(place(error.span().start.offset), error.kind().to_string())
            })?;
        tame(&mut ast).map_err(|(offset, reason)| Fault::at(place(offset), reason))?;
        let hir = TranslatorBuilder::new()
            .case_insensitive(options.contains('i'))
            .multi_line(options.contains('m'))
            .dot_matches_new_line(options.contains('s'))
            .build()
            .translate(text, &ast)
            .map_err(|error| {
                Fault::at(place(error.span().start.offset), error.kind().to_string())
            })?;
        if weight(&hir) > MAX_WEIGHT {
            return Err(Fault::at(0, "a pattern costs too much"));
        }
        let mut writer = Writer {
            // Whatever the pattern starts with, it is a pattern of the advanced kind.
            sql: "***:".to_owned(),
            ranges: 0,
        };
        writer.write(&hir).map_err(|reason| Fault::at(0, reason))?;
        Ok(Self {
            for_postgres: writer.sql,
        })
    }

    /// The pattern as the operator `~` takes it.
    pub(super) fn for_postgres(&self) -> &str {
        &self.for_postgres
    }
}

fn weight(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Class(_) => 1,
        HirKind::Look(_) => 4,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            u64::from(times).saturating_mul(weight(&repetition.sub).saturating_add(1))
        }
        HirKind::Capture(capture) => weight(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs
            .iter()
            .fold(1, |sum: u64, sub| sum.saturating_add(weight(sub))),
    }
}

struct Writer {
    sql: String,
    ranges: usize,
}

impl Writer {
    fn write(&mut self, hir: &Hir) -> Result<(), &'static str> {
        match hir.kind() {
            HirKind::Empty => self.sql.push_str("(?:)"),
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).map_err(|_| "a pattern of bytes")?;
                text.chars().for_each(|c| self.char(c));
            }
            HirKind::Class(Class::Unicode(class)) => self.class(class)?,
            HirKind::Class(Class::Bytes(_)) => return Err("a pattern of bytes"),
            HirKind::Look(look) => self.look(*look)?,
            HirKind::Repetition(repetition) => self.repetition(repetition)?,
            HirKind::Capture(capture) => self.write(&capture.sub)?,
            HirKind::Concat(subs) => {
                for sub in subs {
                    self.write(sub)?;
                }
            }
            HirKind::Alternation(subs) => self.alternation(subs)?,
        }
        Ok(())
    }

    fn alternation(&mut self, subs: &[Hir]) -> Result<(), &'static str> {
        self.sql.push_str("(?:");
        for (index, sub) in subs.iter().enumerate() {
            if index > 0 {
                self.sql.push('|');
            }
            self.write(sub)?;
        }
        self.sql.push(')');
        Ok(())
    }

    /// Lazy or greedy is all one to whether there is a match.
    fn repetition(&mut self, repetition: &Repetition) -> Result<(), &'static str> {
        let Repetition { min, max, sub, .. } = repetition;
        if max.unwrap_or(*min) > MAX_REPEAT {
            return Err("a repetition counts too high");
        }
        self.sql.push_str("(?:");
        self.write(sub)?;
        self.sql.push(')');
        match (min, max) {
            (0, None) => self.sql.push('*'),
            (1, None) => self.sql.push('+'),
            (0, Some(1)) => self.sql.push('?'),
            (min, None) => write!(self.sql, "{{{min},}}").map_err(|_| "no memory")?,
            (min, Some(max)) => write!(self.sql, "{{{min},{max}}}").map_err(|_| "no memory")?,
        }
        Ok(())
    }

    fn look(&mut self, look: Look) -> Result<(), &'static str> {
        match look {
            Look::Start => self.sql.push('^'),
            Look::End => self.sql.push('$'),
            Look::StartLF => self.sql.push_str("(?:^|(?<=\\u000a))"),
            Look::EndLF => self.sql.push_str("(?:$|(?=\\u000a))"),
            Look::WordAscii | Look::WordUnicode => self.sql.push_str(BOUNDARY),
            Look::WordAsciiNegate | Look::WordUnicodeNegate => self.sql.push_str(NO_BOUNDARY),
            // `tame` has refused what leads to these.
            _ => return Err("an assertion that is not supported"),
        }
        Ok(())
    }

    fn class(&mut self, class: &ClassUnicode) -> Result<(), &'static str> {
        let mut negated = class.clone();
        let up_to_the_last = class
            .ranges()
            .last()
            .is_some_and(|range| range.end() == char::MAX);
        let (sign, ranges) = if up_to_the_last {
            negated.negate();
            ("[^", negated.ranges())
        } else {
            ("[", class.ranges())
        };
        // PostgreSQL has no U+0000, and would take long over a range from it.
        let ranges: Vec<(char, char)> = ranges
            .iter()
            .map(|range| (range.start().max('\u{1}'), range.end()))
            .filter(|(start, end)| start <= end)
            .collect();
        self.ranges += ranges.len();
        if self.ranges > MAX_RANGES {
            return Err("a pattern has too many characters in its classes");
        }
        match (up_to_the_last, ranges.is_empty()) {
            (false, true) => self.sql.push_str(NOTHING),
            (true, true) => self.sql.push('.'),
            (_, false) => {
                self.sql.push_str(sign);
                for (start, end) in ranges {
                    self.char(start);
                    if start < end {
                        self.sql.push('-');
                        self.char(end);
                    }
                }
                self.sql.push(']');
            }
        }
        Ok(())
    }

    fn char(&mut self, c: char) {
        if c.is_ascii_alphanumeric() {
            self.sql.push(c);
        } else if u32::from(c) <= 0xFFFF {
            let _ = write!(self.sql, "\\u{:04x}", u32::from(c));
        } else {
            let _ = write!(self.sql, "\\U{:08x}", u32::from(c));
        }
    }
}
