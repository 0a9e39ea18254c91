//! What patterns cost PostgreSQL, more or less, and how much of it a caller may ask for.

use regex_syntax::hir::{Hir, HirKind};

/// How many states a pattern may come to when its repetitions are written out.
const MAX_STATES: u64 = 1000;
/// And all patterns of a filter together. PostgreSQL keeps few prepared patterns, so many may be prepared for every row.
const MAX_STATES_TOGETHER: u64 = 4000;
/// How many parts of all patterns of a filter may be left out. The time PostgreSQL takes to prepare them grows with the cube
/// of their number: a tenth of a second for a hundred in a row, two seconds for `.{0,255}`.
const MAX_GAPS: u64 = 100;
/// How many ranges the character classes of all patterns of a filter may come to, as `\p{L}` has hundreds.
pub(super) const MAX_RANGES: u64 = 2000;

/// What a pattern comes to when its repetitions are written out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Weight {
    states: u64,
    /// Parts that may be left out.
    gaps: u64,
    /// Ranges of characters, known once they are written.
    pub(super) ranges: u64,
}

impl Weight {
    pub(super) fn of(hir: &Hir) -> Self {
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

    /// Whether it is beyond what one pattern may come to.
    pub(super) fn is_too_much_for_one(self) -> bool {
        self.states > MAX_STATES || self.is_too_much()
    }

    /// Whether it is beyond what all patterns of a filter may come to.
    pub(super) fn is_too_much(self) -> bool {
        self.states > MAX_STATES_TOGETHER || self.gaps > MAX_GAPS || self.ranges > MAX_RANGES
    }
}
