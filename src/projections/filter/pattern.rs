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
const MAX_STATES: u64 = 1000;
/// And all patterns of a filter together. PostgreSQL keeps few prepared patterns, so many may be prepared for every row.
const MAX_STATES_TOGETHER: u64 = 4000;
/// How many parts of all patterns of a filter may be left out. PostgreSQL takes a time that grows with the cube of their number to prepare them:
/// a tenth of a second for a hundred in a row, two seconds for `.{0,255}`.
const MAX_GAPS: u64 = 100;
/// How many ranges the character classes of all patterns of a filter may come to, as `\p{L}` has hundreds.
const MAX_RANGES: u64 = 2000;
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
    weight: Weight,
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
        let mut weight = Weight::of(&hir);
        if weight.states > MAX_STATES || weight.is_too_much() {
            return Err(Fault::at(0, "a pattern costs too much"));
        }
        let mut writer = Writer {
            // Whatever the pattern starts with, it is a pattern of the advanced kind.
            sql: "***:".to_owned(),
            ranges: 0,
        };
        writer.write(&hir).map_err(|reason| Fault::at(0, reason))?;
        weight.ranges = writer.ranges;
        Ok(Self {
            for_postgres: writer.sql,
            weight,
        })
    }

    /// What it costs, more or less.
    pub(super) fn weight(&self) -> Weight {
        self.weight
    }

    /// The pattern as the operator `~` takes it.
    pub(super) fn for_postgres(&self) -> &str {
        &self.for_postgres
    }
}

/// What a pattern comes to when its repetitions are written out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Weight {
    states: u64,
    /// Parts that may be left out.
    gaps: u64,
    /// Ranges of characters, known once they are written.
    ranges: u64,
}

impl Weight {
    fn of(hir: &Hir) -> Self {
        let states = |states| Self {
            states,
            ..Self::default()
        };
        match hir.kind() {
            HirKind::Empty | HirKind::Class(_) => states(1),
            HirKind::Look(_) => states(4),
            HirKind::Literal(literal) => {
                // The bytes that begin a character.
                states(
                    literal
                        .0
                        .iter()
                        .filter(|byte| **byte & 0xC0 != 0x80)
                        .count() as u64,
                )
            }
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => {
                let times = u64::from(repetition.max.unwrap_or(repetition.min).max(1));
                let sub = Self::of(&repetition.sub);
                Self {
                    states: times.saturating_mul(sub.states.saturating_add(1)),
                    gaps: times
                        .saturating_mul(sub.gaps)
                        .saturating_add(times - u64::from(repetition.min).min(times)),
                    ranges: 0,
                }
            }
            HirKind::Concat(subs) => Self::sum(subs, 0),
            HirKind::Alternation(subs) => {
                Self::sum(subs, u64::from(hir.properties().minimum_len() == Some(0)))
            }
        }
    }

    fn sum(subs: &[Hir], gaps: u64) -> Self {
        let empty = Self {
            states: 1,
            gaps,
            ranges: 0,
        };
        subs.iter().map(Self::of).fold(empty, Self::plus)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            states: self.states.saturating_add(other.states),
            gaps: self.gaps.saturating_add(other.gaps),
            ranges: self.ranges.saturating_add(other.ranges),
        }
    }

    /// Whether it is beyond what all patterns of a filter may come to.
    pub(super) fn is_too_much(self) -> bool {
        self.states > MAX_STATES_TOGETHER || self.gaps > MAX_GAPS || self.ranges > MAX_RANGES
    }
}

struct Writer {
    sql: String,
    ranges: u64,
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
            // How a class without characters is written down.
            HirKind::Class(Class::Bytes(class)) if class.ranges().is_empty() => {
                self.sql.push_str(NOTHING);
            }
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
        self.ranges += ranges.len() as u64;
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
