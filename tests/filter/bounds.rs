//! Whatever is sent: no panic, no long wait, and none of it in the text of the SQL.

use std::time::{Duration, Instant};

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;
use shiji::projections::filter;

use super::exercise::{FIELDS, assert_own_words, exercise};

/// Generous, for busy machines and builds without optimisation; what takes long takes far longer.
const LONG: Duration = Duration::from_secs(5);

/// Pieces of which filters, and almost filters, are made.
const PIECES: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "'",
    "\"",
    "\\",
    "\"code\":",
    "'id':",
    "\"rolec\":",
    "\"tags\":",
    "\"seen\":",
    "\"x\":",
    "{\"$and\":[",
    "{\"$or\":[{",
    "{\"$not\":{",
    "{\"$in\":[",
    "{\"$regex\":\"",
    "\"$options\":\"imsx\"",
    "{\"$elemMatch\":{",
    "{\"$all\":[",
    "{\"$size\":2}",
    "{\"$mod\":[2,0]}",
    "{\"$type\":\"string\"}",
    "{\"$gt\":",
    "{\"$where\":1}",
    "null",
    "true",
    "1",
    "-1.5e308",
    "99999999999999999999",
    "\"a\"",
    "'2018-05-25T14:54:39+08:00'",
    "(?i",
    "(a+)+$",
    "[^a-z]",
    "{255}",
    "\\\\b",
    "\u{0}",
    "\\u0000",
    "\\ud800",
    "儿😀",
];

/// What would do harm if it were spliced in.
const HOSTILE: [&str; 8] = [
    "'; DROP TABLE teams; --",
    "\" OR 1=1 --",
    "$1",
    "') OR TRUE OR ('",
    "\\'; SELECT pg_sleep(9)",
    "t.id",
    "%';/*",
    "E'\\x27",
];

fn timely(text: &str) {
    let start = Instant::now();
    exercise(text);
    assert!(
        start.elapsed() < LONG,
        "{text:?} took {:?}",
        start.elapsed()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_has_an_answer(text in any::<String>()) {
        timely(&text);
        timely(&format!("{{{text}"));
    }

    #[test]
    fn anything_made_of_pieces_has_an_answer(pieces in vec(select(&PIECES[..]), 0..40)) {
        let text = pieces.concat();
        timely(&text);
        timely(&format!("{{{text}}}"));
        timely(&data_encoding::BASE64.encode(format!("{{{text}}}").as_bytes()));
    }

    #[test]
    fn any_pattern_has_an_answer(
        pieces in vec(
            select(&["a", "(", ")", "|", "*", "+", "?", "{2}", "{255}", "{9,}", "[", "]", "^", "$", "\\b", "\\W", "\\pL", "(?i)", "(?:", ".", "-", "儿", "\\x{0}", "&&", "[:alpha:]"][..]),
            0..60,
        ),
    ) {
        timely(&pieces.concat());
    }

    #[test]
    fn nothing_of_the_caller_gets_into_the_text(
        values in vec(prop_oneof![select(&HOSTILE[..]).prop_map(str::to_owned), any::<String>()], 12),
        field in select(&["id", "code", "rolec", "seen", "tags", "x'; --"][..]),
    ) {
        let v = |index: usize| values[index].replace('\0', " ").chars().take(100).collect::<String>();
        let quoted = |index: usize| v(index).replace(|c: char| !c.is_ascii_alphanumeric(), "\\'");
        let filter = json!({
            field: {"$in": [v(0), v(1), [v(2), v(3)]], "$ne": v(4), "$gte": v(5)},
            "code": {"$not": {"$regex": quoted(6), "$options": "i"}},
            "$or": [{"tags": {"$all": [v(7), v(8)]}}, {"tags": {"$elemMatch": {"$lt": v(9)}}}, {v(10): v(11)}],
        });
        // A name that starts with a dollar sign is an operator, and not supported.
        if let Ok(filter) = filter::parse(&filter.to_string(), &FIELDS) {
            let mut sql = sqlx::QueryBuilder::new("");
            filter.push_where(&mut sql);
            assert_own_words(sql.sql());
        } else {
            prop_assert!(v(10).starts_with('$'), "{filter}");
        }
    }
}

#[test]
fn the_largest_filters_take_no_time() {
    let deep = "{\"$and\":[".repeat(900);
    let wide = format!("{{\"$or\":[{}{{}}]}}", "{},".repeat(2600));
    let names = (0..1300)
        .map(|n| format!("\"{n}\":1"))
        .collect::<Vec<_>>()
        .join(",");
    let listed = format!("{{\"rolec\":{{\"$in\":[{}1]}}}}", "1,".repeat(4000));
    for text in [
        deep,
        wide,
        format!("{{{names}}}"),
        listed,
        "(".repeat(8000),
        "[".repeat(250),
    ] {
        timely(&text);
        assert!(filter::parse(&text, &FIELDS).is_err(), "{}…", &text[..40]);
    }
}
