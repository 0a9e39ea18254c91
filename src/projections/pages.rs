//! Pages of lists. Keys come from an index first, so that a deep page does not visit the rows it skips.

/// Keys from the top of a list whose pages are near.
const NEAR: i64 = 100;

/// Where a page begins and ends among the first [`NEAR`] keys, counted from 1; `None` when it lies deeper.
pub(super) fn near(offset: i64, limit: i64) -> Option<(i32, i32)> {
    let (from, to) = (offset.saturating_add(1), offset.saturating_add(limit));
    let int = |number: i64| i32::try_from(number).ok();
    (to <= NEAR).then(|| int(from).zip(int(to))).flatten()
}

/// Reads a page: what stands before the keys, the keys in their order, what follows them, and what is bound from `$3` on.
///
/// A limit that is a parameter is taken for a tenth of the table, so the server would plan anew for every call; the
/// commonest pages have a fixed limit and keep one plan.
///
/// What the one who asks made of each row is looked up row by row: `EXISTS (… OFFSET 0)`. Joined, or without the offset, which
/// changes nothing, the server may go through everything they ever liked or followed first, and a member of many years would pay for it.
macro_rules! page {
    ($row:ident of $db:expr, $offset:expr, $limit:expr, $head:literal, $keys:literal, $tail:literal $(, $bind:expr)* $(,)?) => {
        match $crate::projections::pages::near($offset, $limit) {
            Some((from, to)) => {
                sqlx::query_as!(
                    $row,
                    $head + "(ARRAY(" + $keys + " LIMIT 100))[$1:$2]" + $tail,
                    from,
                    to
                    $(, $bind)*
                )
                .fetch_all($db)
                .await
            }
            None => {
                sqlx::query_as!(
                    $row,
                    $head + "ARRAY(" + $keys + " OFFSET $1 LIMIT $2)" + $tail,
                    $offset,
                    $limit
                    $(, $bind)*
                )
                .fetch_all($db)
                .await
            }
        }
    };
}

pub(super) use page;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_within_the_first_hundred_are_near() {
        assert_eq!(near(0, 100), Some((1, 100)));
        assert_eq!(near(80, 20), Some((81, 100)));
        assert_eq!(near(81, 20), None);
        assert_eq!(near(i64::MAX, 100), None);
    }
}
