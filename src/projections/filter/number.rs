//! Numbers as the language compares them: whole numbers exactly, whatever their spelling.

/// A number of a filter. Whole numbers that fit are always [`Number::Whole`], so `1.0` is `1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    /// A fraction, or beyond 64 bits.
    Other(f64),
}

impl Number {
    /// Reads what looks like a JSON number; a leading plus and leading zeros are let through.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        // Keeps `inf`, `nan` and `.5` out, which the standard library would read.
        let looks_like_one = digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit())
            && !digits.contains(".e")
            && !digits.contains(".E");
        if !looks_like_one {
            return None;
        }
        match text.parse() {
            Ok(whole) => Some(Self::Whole(whole)),
            Err(_) => text.parse().ok().map(Self::from_float),
        }
    }

    fn from_float(float: f64) -> Self {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        if float.fract() == 0.0 && (-LIMIT..LIMIT).contains(&float) {
            Self::Whole(truncated(float))
        } else {
            Self::Other(float)
        }
    }

    /// The largest whole number that is not above it, where there is one in 64 bits.
    pub(super) fn floor(self) -> Floor {
        match self {
            Self::Whole(whole) => Floor::Exactly(whole),
            Self::Other(float) => match Self::from_float(float.floor()) {
                Self::Whole(whole) => Floor::Above(whole),
                Self::Other(far) if far > 0.0 => Floor::BeyondAll,
                Self::Other(_) => Floor::BelowAll,
            },
        }
    }

    /// Without its fraction, if it fits.
    pub(super) fn truncate(self) -> Option<i64> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Other(float) => match Self::from_float(float.trunc()) {
                Self::Whole(whole) => Some(whole),
                Self::Other(_) => None,
            },
        }
    }
}

/// Where a number stands among the whole ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Floor {
    /// It is one.
    Exactly(i64),
    /// Between this one and the next.
    Above(i64),
    /// Higher than all.
    BeyondAll,
    /// Lower than all.
    BelowAll,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the caller has seen that the number is whole and fits"
)]
fn truncated(float: f64) -> i64 {
    float as i64
}

#[cfg(test)]
mod tests {
    use super::{Floor, Number};

    #[test]
    fn whole_numbers_are_whole_however_they_are_spelt() {
        for text in ["1", "1.0", "01", "+1", "10e-1", "0.1E1"] {
            assert_eq!(Number::parse(text), Some(Number::Whole(1)), "{text}");
        }
        assert_eq!(Number::parse("-0.0"), Some(Number::Whole(0)));
        assert_eq!(
            Number::parse("9223372036854775807"),
            Some(Number::Whole(i64::MAX))
        );
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", "a", "inf", "NaN", ".5", "5.", "1.e2", "0x1", "1 ", "--1", "+-1", "1_0",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_and_giants_have_a_floor() {
        let floor = |text| Number::parse(text).unwrap().floor();
        assert_eq!(floor("-1.5"), Floor::Above(-2));
        assert_eq!(floor("3"), Floor::Exactly(3));
        assert_eq!(floor("1e400"), Floor::BeyondAll);
        assert_eq!(floor("-9223372036854775809000"), Floor::BelowAll);
    }
}
