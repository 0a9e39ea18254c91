//! Which part of a list is asked for: a page, or an offset, and a limit.

use sqlx::{Postgres, QueryBuilder};

use super::error::PageError;

/// How many rows a list gives.
#[derive(Debug, Clone, Copy)]
pub struct PageRules {
    /// When the caller does not say, or says 0.
    pub default: i64,
    /// At most; more is taken for this.
    pub max: i64,
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows to skip.
    pub offset: i64,
    /// Rows to give, at least 1.
    pub limit: i64,
}

impl Page {
    /// Reads the three parameters as they came. A page number, from 1, makes `offset` not looked at; 0 is taken for 1.
    ///
    /// # Errors
    /// [`PageError`] naming the parameter that is no integer, or negative.
    pub fn parse(
        page: Option<&str>,
        offset: Option<&str>,
        limit: Option<&str>,
        rules: PageRules,
    ) -> Result<Self, PageError> {
        let limit = match whole("limit", limit)? {
            None | Some(0) => rules.default,
            Some(limit) => limit.min(rules.max),
        };
        let offset = match whole("page", page)? {
            Some(page) => (page.max(1) - 1).saturating_mul(limit),
            None => whole("offset", offset)?.unwrap_or(0),
        };
        Ok(Self { offset, limit })
    }

    /// How many pages so many rows fill, at least 1.
    #[must_use]
    pub fn count(&self, rows: i64) -> i64 {
        let full = rows / self.limit;
        (full + i64::from(rows % self.limit > 0)).max(1)
    }

    /// Appends ` LIMIT … OFFSET …`.
    pub fn push_limit(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(" LIMIT ").push_bind(self.limit);
        sql.push(" OFFSET ").push_bind(self.offset);
    }
}

/// A number that is not negative; giants count as the largest one.
fn whole(field: &'static str, text: Option<&str>) -> Result<Option<i64>, PageError> {
    let Some(text) = text else { return Ok(None) };
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PageError { field });
    }
    let number = digits.parse().unwrap_or(i64::MAX);
    if number > 0 && digits.len() < text.len() {
        return Err(PageError { field });
    }
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use super::{Page, PageError, PageRules};

    const RULES: PageRules = PageRules {
        default: 20,
        max: 100,
    };

    fn read(
        page: Option<&str>,
        offset: Option<&str>,
        limit: Option<&str>,
    ) -> Result<(i64, i64), PageError> {
        Page::parse(page, offset, limit, RULES).map(|page| (page.offset, page.limit))
    }

    #[test]
    fn the_bounds_are_kept() {
        assert_eq!(read(None, None, None), Ok((0, 20)));
        assert_eq!(read(None, Some("7"), Some("0")), Ok((7, 20)));
        assert_eq!(read(None, None, Some("101")), Ok((0, 100)));
        assert_eq!(read(Some("0"), None, Some("5")), Ok((0, 5)));
        let giant = "9".repeat(40);
        assert_eq!(read(Some(&giant), None, Some(&giant)), Ok((i64::MAX, 100)));
    }

    #[test]
    fn a_page_outdoes_an_offset() {
        assert_eq!(read(Some("3"), Some("1"), Some("5")), Ok((10, 5)));
        assert_eq!(read(Some("3"), Some("no number"), None), Ok((40, 20)));
    }

    #[test]
    fn the_parameter_at_fault_is_named() {
        for bad in ["", "a", "1.0", " 1", "+1", "-1", "-", "0x1"] {
            assert_eq!(
                read(Some(bad), None, None),
                Err(PageError { field: "page" })
            );
            assert_eq!(
                read(None, Some(bad), None),
                Err(PageError { field: "offset" })
            );
            assert_eq!(
                read(None, None, Some(bad)),
                Err(PageError { field: "limit" })
            );
        }
        assert_eq!(read(Some("-0"), None, None), Ok((0, 20)));
    }

    #[test]
    fn there_is_always_a_first_page() {
        let page = Page {
            offset: 0,
            limit: 20,
        };
        assert_eq!(
            [0, 1, 20, 21, 40].map(|rows| page.count(rows)),
            [1, 1, 1, 2, 2]
        );
    }
}
