//! What patterns match where JavaScript cannot tell, and what the worst of them cost.

use std::{sync::OnceLock, time::Instant};

use serde_json::json;
use shiji::projections::filter::{self, Field, Fields, TIMEOUT, is_too_costly, set_backstop};
use sqlx::{PgPool, QueryBuilder};

use crate::support::TestDatabase;

static FIELDS: Fields = Fields {
    fields: &[Field::text("text", "t.text")],
    bare: "text",
    order: "text:ASC",
    tie: "text",
};

async fn matches(pool: &PgPool, pattern: &str, options: &str, text: &str) -> bool {
    let filter = json!({"text": {"$regex": pattern, "$options": options}}).to_string();
    let filter =
        filter::parse(&filter, &FIELDS).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let mut sql = QueryBuilder::new("SELECT EXISTS (SELECT FROM (SELECT ");
    sql.push_bind(text).push("::text AS text) AS t WHERE ");
    filter.push_where(&mut sql);
    sql.push(")");
    sql.build_query_scalar().fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn patterns_mean_what_mongodb_means_by_them() {
    let database = TestDatabase::unmigrated().await;
    let pool = database.database().owner_pool();
    for (pattern, options, text, expected) in [
        ("a b # c", "x", "ab", true),
        ("^B$", "im", "a\nb\nc", true),
        ("^b$", "", "a\nb\nc", false),
        ("a.b", "s", "a\nb", true),
        ("a.b", "", "a\nb", false),
        ("(?s)a.b", "", "a\nb", true),
        ("É", "i", "é", true),
        ("(?i:а)Б", "", "АБ", true),
        // Of ASCII, as in PCRE without UCP.
        ("^\\w$", "", "é", false),
        ("^\\d$", "", "٣", false),
        ("^\\s$", "", "\u{a0}", false),
        ("^\\W$", "i", "k", false),
        ("^[\\W_]$", "i", "k", false),
        ("é\\b", "", "é ", false),
        ("^\\w$", "i", "\u{17f}", true),
        ("a$", "", "a\n", false),
        ("^[a b]$", "x", " ", false),
        ("\\u513f", "", "儿", true),
        // Of Unicode.
        ("^\\p{Han}+$", "", "儿研所", true),
        ("^\\p{L}+$", "i", "é儿ж", true),
        ("^[[:alpha:]-]+$", "", "a-b", true),
        ("^.$", "", "😀", true),
        ("^[\u{1f600}-\u{1f64f}]$", "", "😀", true),
        // What PostgreSQL would read in a way of its own.
        ("\\<a\\>", "", "<a>", true),
        ("\\/\\-\\%\\\"\\'", "", "/-%\"'", true),
        ("[.\\[a\\]-]{2}", "", "].", true),
        ("\\x41\\u{513f}\\t", "", "A儿\t", true),
        ("\\Aab\\z", "m", "ab\n", false),
        ("(?P<x>a)(?<y>b)", "", "ab", true),
        ("a\\Bb|\\bc\\b", "", "x c", true),
        ("[^\\s\\S]", "", "anything", false),
        ("\\x{0}", "", "a", false),
        ("[\\x00-\\x7f]", "", "a", true),
        ("^(?:)*$", "", "", true),
        ("(^|,)b($|,)", "", "a,b", true),
    ] {
        assert_eq!(
            matches(&pool, pattern, options, text).await,
            expected,
            "{pattern:?} on {text:?}"
        );
    }
}

#[test]
fn what_other_engines_read_differently_is_refused() {
    for pattern in [
        "***=a.c",
        "(?q)a",
        "(.?){101}",
        ".{0,101}",
        "[a&&b]",
        "[a--b]",
        "[a[b]]",
        "a**",
        "a++",
        "a{2}{3}",
        "(?u)a",
        "(?R)a",
        "(?-u)a",
        "\\b{start}a",
        "\\1",
        "(?>a)",
        "a{1000}",
        "\\p{Nope}",
        "(?i",
        "[b-a]",
        "\\Qa\\E",
        "a\\Z",
        "\\h",
        "\\R",
        "a{",
        "{a}",
    ] {
        assert!(filter::parse(pattern, &FIELDS).is_err(), "{pattern}");
    }
}

#[test]
fn patterns_are_weighed_together() {
    let filter = |pattern: &str, times: usize| {
        let clause = json!({"text": {"$regex": pattern}}).to_string();
        filter::parse(
            &format!("{{\"$or\":[{}]}}", vec![clause; times].join(",")),
            &FIELDS,
        )
    };
    assert!(filter("plain", 64).is_ok());
    assert!(filter("(.?){50}", 2).is_ok());
    assert!(filter("(.?){50}", 3).is_err());
    assert!(filter(".{200}", 5).is_ok());
    assert!(filter(".{200}", 11).is_err());
    assert!(filter("\\p{L}", 2).is_ok());
    assert!(filter("\\p{L}", 9).is_err());
}

/// Patterns that are the undoing of other engines, or as large as they may be.
fn nasty() -> &'static [String] {
    static NASTY: OnceLock<Vec<String>> = OnceLock::new();
    NASTY.get_or_init(|| {
        let mut patterns: Vec<String> = [
            "^(a+)+$",
            "^(a|aa)+$",
            "^(a|a)*$",
            "(a*)*b",
            "(.*)*x",
            "((a*)*)*b",
            "(((((a*)*)*)*)*)*b",
            "(.*a){20}b",
            ".*a.{200}b",
            "(a|b)*a(a|b){200}c",
            "(?:a?){100}a{100}b",
            "(a{0,30}){0,30}b",
            "(((a?){9}){9}){9}b",
            "(.?){99}b",
            "((?:[a-c]?[b-d]?[c-e]?[d-f]?[e-g]?){19}b)*c",
            "((?:[a-c]|){99}b)*c",
            "((.?){9}a?){9}b",
            "(?i)[a-z]{255}x",
            "\\p{L}{200}b",
            "(\\p{L}|\\d){100}b",
            "(\\ba\\b|\\Ba\\B){50}b",
            "(^|a)*b",
            "([^b]*,){20}z",
            "(.?.?.?.?.?.?.?.?.?.?){20}b",
            "(.{1,50}){1,19}b",
            "(.{0,9}[ab]{0,9}\\w{0,9}){10}z",
        ]
        .map(str::to_owned)
        .into();
        patterns.push(format!("{}{}b", "a?".repeat(80), "a".repeat(90)));
        patterns.push(
            (b'!'..=b'~')
                .filter(u8::is_ascii_alphanumeric)
                .map(|c| format!("[^{}].", c as char))
                .take(50)
                .collect(),
        );
        patterns.push(format!(
            "({})*!",
            ["\\pL", "\\pN", "\\p{Greek}", "\\p{Han}", "[^\\pL]"].join("|")
        ));
        patterns.push(format!("(?i){}", "\\w.".repeat(60)));
        patterns.push(format!("{}x", ".*".repeat(120)));
        patterns.push(format!("{}x", "(a|".repeat(30) + &")*".repeat(30)));
        patterns
    })
}

#[tokio::test]
async fn the_worst_patterns_stay_within_the_backstop() {
    let database = TestDatabase::unmigrated().await;
    let pool = database.database().owner_pool();
    sqlx::query(
        "CREATE TABLE t AS SELECT repeat('a', 500 + row) AS text FROM generate_series(1, 10) AS row
         UNION ALL SELECT repeat('ab ,儿z', 80 + row) FROM generate_series(1, 10) AS row",
    )
    .execute(&pool)
    .await
    .unwrap();
    for pattern in nasty() {
        let Ok(filter) = filter::parse(pattern, &FIELDS) else {
            eprintln!("refused {pattern}");
            continue;
        };
        let mut sql = QueryBuilder::new("SELECT count(*) FROM t WHERE ");
        filter.push_where(&mut sql);
        let start = Instant::now();
        let mut transaction = pool.begin().await.unwrap();
        set_backstop(&mut transaction).await.unwrap();
        let result = sql.build().fetch_one(&mut *transaction).await;
        eprintln!(
            "{:>6} ms {} {pattern}",
            start.elapsed().as_millis(),
            result.is_ok()
        );
        assert!(start.elapsed() < TIMEOUT * 3, "{pattern}");
        if let Err(error) = result {
            panic!(
                "{pattern}: {error}, is_too_costly: {}",
                is_too_costly(&error)
            );
        }
    }
}
