//! What mingo cannot tell, since JavaScript's strings and numbers are others; and the documents' own samples.

use serde_json::{Value, json};
use shiji::projections::filter::{self, Order, Page};
use sqlx::QueryBuilder;

use super::table::{FIELDS, Teams};

const ALL: Page = Page {
    offset: 0,
    limit: 100,
};

fn team(id: &str, code: &str, name: &str, score: Option<i64>) -> Value {
    json!({
        "id": id, "code": code, "name": name, "brief": "", "avatar": "", "creator_id": "Dt5mvrtU", "creator_name": "dua:辣椒帅",
        "enabled": code != "test", "invite_only": false, "private": false, "rolec": 1, "usroc": 0, "score": score,
        "created_at": "2018-05-25T14:54:39+08:00", "updated_at": "2018-05-25T14:54:39+08:00",
    })
}

async fn ask(teams: &Teams, filter: &str, order: &str) -> String {
    let filter = filter::parse(filter, &FIELDS).unwrap();
    let order = Order::parse(order, &FIELDS).unwrap();
    let (ids, total) = teams.query(0, &filter, &order, ALL).await.unwrap();
    assert_eq!(i64::try_from(ids.len()).unwrap(), total);
    ids.concat()
}

#[tokio::test]
async fn questions_have_their_answers() {
    let teams = Teams::create().await;
    let rows = [
        team("a", "children", "\u{e000}", Some(9_007_199_254_740_993)),
        team("b", "wikicivi", "😀", Some(i64::MIN)),
        team("c", "calathus", "z", None),
        team("d", "test", "Z", Some(0)),
    ];
    teams.insert(0, &rows).await;
    for (filter, order, expected) in [
        // Bytes of UTF-8: the emoji is last, where UTF-16 has it before the private character.
        ("", "name:asc", "dcab"),
        (r#"{"name":{"$gt":"\ue000"}}"#, "", "b"),
        (r#"{"name":{"$gt":"Z","$lt":"儿"}}"#, "", "c"),
        // Whole numbers are exact.
        (r#"{"score":9007199254740993}"#, "", "a"),
        (r#"{"score":9007199254740992}"#, "", ""),
        (r#"{"score":{"$gt":9007199254740992.0}}"#, "", "a"),
        (r#"{"score":{"$lte":-9223372036854775808}}"#, "", "b"),
        (r#"{"score":{"$lt":-9223372036854777856}}"#, "", ""),
        (r#"{"score":{"$gt":-9223372036854777856}}"#, "id:asc", "abd"),
        (r#"{"score":{"$mod":[-1,0]}}"#, "id:asc", "abd"),
        (r#"{"score":"0"}"#, "", ""),
        // As the document asks: single quotes, Base64, the key by a pattern.
        ("{'name': {'$regex':'.s.'} }", "", ""),
        ("{'code': {'$regex':'.s.'} }", "", "d"),
        ("eyJjb2RlIjogInRlc3QifQ==", "", "d"),
        ("^c", "key:DESC", "ac"),
        (r#"{"enabled":"0"}"#, "", "d"),
        (r#"{"enabled":false, "rolec":"1.0"}"#, "", "d"),
        (r#"{"enabled":"no"}"#, "", ""),
        (r#"{"enabled":{"$ne":"no"}}"#, "id:desc", "dcba"),
        (
            r#"{"rolec":{"$regex":"^1$"},"enabled":{"$type":2}}"#,
            "id:asc",
            "abcd",
        ),
        (
            r#"{"ct":1527231279,"cstamp":{"$gte":"2018-05-25"}}"#,
            "",
            "abcd",
        ),
        (
            r#"{"x":null,"y":{"$exists":false},"z":{"$ne":1}}"#,
            "",
            "abcd",
        ),
        (r#"{"x":{"$gt":""}}"#, "", ""),
        (r#"{"code":"a","code":"test"}"#, "", "d"),
    ] {
        assert_eq!(
            ask(&teams, filter, order).await,
            expected,
            "{filter} {order}"
        );
    }
}

/// The example of the module's documentation.
#[test]
fn conditions_and_orders_are_appended_to_a_query() {
    let mut sql = QueryBuilder::new("SELECT id FROM teams WHERE creator_id = ");
    sql.push_bind("Dt5mvrtU").push(" AND ");
    filter::parse(
        r#"{"key": {"$regex": "^c"}, "rolec": {"$gt": "0"}}"#,
        &FIELDS,
    )
    .unwrap()
    .push_where(&mut sql);
    Order::parse("rolec:desc", &FIELDS)
        .unwrap()
        .push_order_by(&mut sql);
    assert_eq!(
        sql.sql(),
        "SELECT id FROM teams WHERE creator_id = $1 AND (((teams.code)::text COLLATE \"C\" ~ $2) AND ((teams.rolec) > $3)) \
         ORDER BY (teams.rolec) DESC, (teams.id)::text COLLATE \"C\" ASC"
    );
}
