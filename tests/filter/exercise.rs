//! One function for the fuzzer and for bounded random tests: whatever is asked, there is an answer, and only words of the
//! compiler and of the declaration stand in its SQL.

use shiji::projections::filter::{self, Field, Fields, Order, Page, PageRules};
use sqlx::{Postgres, QueryBuilder};

pub static FIELDS: Fields = Fields {
    fields: &[
        Field::text("id", "t.id").or(&["_id"]),
        Field::text("code", "t.code").or(&["key"]).nullable(),
        Field::integer_text("rolec", "t.rolec"),
        Field::integer("ct", "t.ct").nullable(),
        Field::boolean("open", "t.open"),
        Field::time("seen", "t.seen"),
        Field::text_array("tags", "t.tags").nullable(),
    ],
    bare: "code",
    order: "id:ASC",
    tie: "id",
};

/// Everything that SQL may be made of, beside `$` and a number.
const WORDS: [&str; 39] = [
    "t.id",
    "t.code",
    "t.rolec",
    "t.ct",
    "t.open",
    "t.seen",
    "t.tags",
    "element.value",
    "(",
    ")",
    ", ",
    " AND ",
    " OR ",
    "NOT ",
    "TRUE",
    "FALSE",
    " = ",
    "ANY(",
    " < ",
    " <= ",
    " > ",
    " >= ",
    " ~ ",
    " % ",
    " && ",
    "::text COLLATE \"C\"",
    " IS NULL",
    " IS NOT NULL",
    "cardinality(",
    "EXISTS (SELECT FROM unnest(",
    ") AS element(value) WHERE ",
    " ORDER BY ",
    " ASC",
    " DESC",
    " NULLS FIRST",
    " NULLS LAST",
    " LIMIT ",
    " OFFSET ",
    "SELECT t.id FROM t WHERE ",
];

/// Asks for a filter, an order and a page, all by the same text.
///
/// # Panics
/// Where SQL has anything but our own words in it.
pub fn exercise(text: &str) {
    let mut sql = QueryBuilder::<Postgres>::new("SELECT t.id FROM t WHERE ");
    if let Ok(filter) = filter::parse(text, &FIELDS) {
        filter.push_where(&mut sql);
    }
    if let Ok(order) = Order::parse(text, &FIELDS) {
        order.push_order_by(&mut sql);
    }
    let rules = PageRules {
        default: 20,
        max: 100,
    };
    if let Ok(page) = Page::parse(Some(text), None, Some(text), rules) {
        page.push_limit(&mut sql);
        assert!(page.limit > 0 && page.offset >= 0 && page.count(i64::MAX) > 0);
    }
    assert_own_words(sql.sql());
}

/// Takes the SQL apart into our words and placeholders.
///
/// # Panics
/// Where that leaves something over.
pub fn assert_own_words(sql: &str) {
    let mut rest = sql;
    while !rest.is_empty() {
        let word = WORDS
            .iter()
            .filter_map(|word| rest.strip_prefix(word))
            .min_by_key(|rest| rest.len());
        let placeholder = rest
            .strip_prefix('$')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        rest = word
            .or(placeholder)
            .unwrap_or_else(|| panic!("not our words, from {rest:?} on: {sql}"));
    }
}
