//! What is refused, with which error and where; and, beside it, what is not.

use rstest::rstest;
use shiji::projections::filter::{self, FilterError, Order};

use super::table::FIELDS;

#[rstest]
#[case::not_closed(r#"{"a":1"#, 6)]
#[case::more_behind(r#"{"a":1} x"#, 8)]
#[case::trailing_comma(r#"{"a":1,}"#, 7)]
#[case::bare_name(r"{a:1}", 1)]
#[case::mixed_quotes(r#"{"a":"b'}"#, 9)]
#[case::leading_zero(r#"{"a":01}"#, 5)]
#[case::control_character("{\"a\":\"\n\"}", 6)]
#[case::nul(r#"{"a":"x\u0000"}"#, 5)]
#[case::half_a_surrogate(r#"{"a":"\ud83d"}"#, 6)]
#[case::characters_not_bytes(r#"{"儿研所":?}"#, 7)]
#[case::and_takes_an_array(r#"{"$and":{}}"#, 8)]
#[case::and_takes_something(r#"{"$and":[]}"#, 8)]
#[case::clauses_are_objects(r#"{"$or":[{},1]}"#, 11)]
#[case::in_takes_an_array(r#"{"a":{"$in":1}}"#, 12)]
#[case::operators_are_no_values(r#"{"a":{"$in":[{"$regex":"b"}]}}"#, 13)]
#[case::not_takes_operators(r#"{"a":{"$not":1}}"#, 13)]
#[case::not_takes_some(r#"{"a":{"$not":{}}}"#, 13)]
#[case::options_alone(r#"{"a":{"$options":"i"}}"#, 6)]
#[case::options_unknown(r#"{"a":{"$regex":"b","$options":"g"}}"#, 30)]
#[case::pattern_is_text(r#"{"a":{"$regex":1}}"#, 15)]
#[case::division_by_zero(r#"{"a":{"$mod":[0,1]}}"#, 13)]
#[case::division_of_one(r#"{"a":{"$mod":[2]}}"#, 13)]
#[case::size_is_a_number(r#"{"a":{"$size":-1}}"#, 14)]
#[case::type_is_one(r#"{"a":{"$type":"strnig"}}"#, 14)]
#[case::element_takes_an_object(r#"{"a":{"$elemMatch":1}}"#, 19)]
#[case::look_ahead(r#"{"a":{"$regex":"(?=b)"}}"#, 15)]
#[case::back_reference(r#"{"a":{"$regex":"(b)\\1"}}"#, 15)]
#[case::bare_look_behind("ab(?<!c)", 2)]
#[case::bare_pattern_open("a(b", 1)]
#[case::too_deep(r#"{"a":[[[[[[[[1]]]]]]]]}"#, 12)]
fn a_fault_is_found_where_it_is(#[case] text: &str, #[case] at: usize) {
    match filter::parse(text, &FIELDS) {
        Err(FilterError::Invalid {
            text: shown,
            position,
            reason,
        }) => {
            assert_eq!(shown, text);
            assert_eq!(position, at, "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case(r#"{"$where":"1"}"#, "$where")]
#[case(r#"{"$expr":{}}"#, "$expr")]
#[case(r#"{"a":{"$geoWithin":{}}}"#, "$geoWithin")]
#[case(r#"{"a":{"$bitsAllSet":1}}"#, "$bitsAllSet")]
#[case(r#"{"a":{"$not":{"$frobnicate":1}}}"#, "$frobnicate")]
#[case(r#"{"a":{"$gt":1,"b":2}}"#, "b")]
#[case(r#"{"$eq":1}"#, "$eq")]
#[case(r#"{"a":{"$and":[{}]}}"#, "$and")]
#[case(r#"{"a":{"$elemMatch":{"b":{"$where":1}}}}"#, "$where")]
fn an_unknown_operator_is_named(#[case] text: &str, #[case] name: &str) {
    assert_eq!(
        filter::parse(text, &FIELDS),
        Err(FilterError::Unsupported {
            operator: name.to_owned()
        })
    );
}

/// At the bound it is taken, beyond it is refused.
#[rstest]
#[case::depth(7, |n| format!("{{\"a\":{}1{}}}", "[".repeat(n), "]".repeat(n)))]
#[case::conditions(64, |n| format!("{{\"$or\":[{}]}}", vec!["{\"a\":1}"; n].join(",")))]
#[case::empty_clauses(64, |n| format!("{{\"$or\":[{}]}}", vec!["{}"; n].join(",")))]
#[case::string(1024, |n| format!("{{\"a\":\"{}\"}}", "儿".repeat(n)))]
#[case::pattern(256, |n| format!("{{\"a\":{{\"$regex\":\"{}\"}}}}", "a".repeat(n)))]
#[case::bare_pattern(256, |n| "a".repeat(n))]
#[case::values(200, |n| format!("{{\"a\":{{\"$in\":[{}]}}}}", vec!["1"; n].join(",")))]
#[case::repetition(255, |n| format!("a{{{n}}}"))]
#[case::text(8192, |n| format!("{{{}}}", " ".repeat(n - 2)))]
#[case::order_terms(16, |n| vec!["id:asc"; n].join(","))]
fn bounds_are_where_they_are_said_to_be(#[case] bound: usize, #[case] text: fn(usize) -> String) {
    let is_taken = |text: &str| {
        if text.starts_with("id:") {
            Order::parse(text, &FIELDS).is_ok()
        } else {
            filter::parse(text, &FIELDS).is_ok()
        }
    };
    assert!(is_taken(&text(bound)));
    assert!(!is_taken(&text(bound + 1)));
}

#[rstest]
#[case("{'name': {'$regex':'.s.'} }")]
#[case(r"{'a':'it\'s \u513f \ud83d\ude00 \/'}")]
#[case(r#"{'a':'"', "b":"'"}"#)]
#[case(r#"{"a":{"b":{"$where":1}}}"#)]
#[case(r#"{"a":{"$eq":{"$where":1}}}"#)]
#[case(r#"{"a":1e999, "b":-0, "c":{"$mod":[2.9,-1]}}"#)]
#[case("\u{a0}")]
fn what_looks_odd_is_taken(#[case] text: &str) {
    filter::parse(text, &FIELDS).unwrap();
}

#[rstest]
#[case("name")]
#[case("name:UP")]
#[case("nam:ASC")]
#[case("name:ASC,")]
#[case("name:ASC:DESC")]
#[case("tags:ASC")]
#[case(":ASC")]
fn an_order_that_is_none_is_refused(#[case] text: &str) {
    assert_eq!(Order::parse(text, &FIELDS).unwrap_err().order, text);
}

#[test]
fn orders_are_read_in_any_dress() {
    let plain = Order::parse("code:DESC,cstamp:ASC", &FIELDS).unwrap();
    assert_eq!(
        Order::parse(" key:desc , cstamp : Asc", &FIELDS).unwrap(),
        plain
    );
    assert_eq!(
        Order::parse("", &FIELDS).unwrap(),
        Order::parse("cstamp:DESC", &FIELDS).unwrap()
    );
}
