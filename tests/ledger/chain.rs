//! Every way of tampering with the log is found at its position.

use shiji::ledger::{Expected, Head, Link, Tampering};

use super::*;

async fn log(test: &TestDatabase, events: i64) -> Ledger {
    let ledger = node(test).await;
    fill(&ledger, "a", events / 2).await;
    for number in events / 2..events {
        let id = if number % 2 == 0 { "b" } else { "c" };
        let mut job = job(&[(id, Expected::Any)]);
        let payload =
            serde_json::json!({ "Noted": { "note": { "$personal": ["Account:1", id] } } });
        job.streams[0].events = vec![event(&payload.to_string())];
        yes(ledger.append(job).await);
    }
    assert_eq!(assert_sound(&ledger).await, events);
    ledger
}

async fn tamper(test: &TestDatabase, sql: &str) {
    sqlx::raw_sql(sql)
        .execute(&mut superuser(test).await)
        .await
        .expect(sql);
}

fn link(head: &Head) -> (i64, Link) {
    let bytes = data_encoding::HEXLOWER
        .decode(head.chain.as_bytes())
        .unwrap();
    (head.position, bytes.try_into().unwrap())
}

/// Takes rows out of the way of the unique constraints, changes them, and puts things right again.
#[tokio::test]
async fn a_change_of_any_column_is_found_at_its_position() {
    let test = TestDatabase::create().await;
    let ledger = log(&test, 20).await;
    sqlx::raw_sql("CREATE TABLE kept AS SELECT * FROM events")
        .execute(&mut superuser(&test).await)
        .await
        .unwrap();
    let changes = [
        "event_id = gen_random_uuid()",
        "aggregate_type = 'Other'",
        "aggregate_id = 'other'",
        "sequence = sequence + 1000",
        "event_type = 'Other'",
        "event_version = '2'",
        "payload = '{\"Noted\":{\"note\":\"forged\"}}'",
        // The same JSON, written otherwise.
        "payload = (payload::text || ' ')::json",
        "metadata = replace(metadata::text, 'system:test', 'staff:1')::json",
        "subjects = '{Account:2}'",
        "subjects = array_append(subjects, 'Account:2')",
        "subjects = array_append(subjects, NULL)",
        "subjects = array_append(subjects, '')",
        "subjects = CASE WHEN subjects IS NULL THEN '{}'::text[] END",
        "subjects = CASE WHEN subjects IS NULL THEN '{NULL}'::text[] ELSE '[0:0]={Account:1}'::text[] END",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "recorded_at = recorded_at - interval '1 day'",
        "recorded_at = 'infinity'",
        "recorded_at = '-infinity'",
        "recorded_at = '290000-01-01'",
        "chain = sha256(chain)",
        "chain = ''",
        // From one column into the next: lengths are part of the sum.
        "aggregate_type = aggregate_type || left(aggregate_id, 1), aggregate_id = substr(aggregate_id, 2)",
    ];
    for change in changes {
        for position in [1, 17, 20] {
            tamper(
                &test,
                &format!("UPDATE events SET {change} WHERE position = {position}"),
            )
            .await;
            let verified = ledger.verify(None, |_| {}).await.expect(change);
            assert_eq!(
                verified.tampering,
                Some(Tampering::Changed { position }),
                "{change}"
            );
            assert_eq!(verified.position, position - 1);
            let restore = "DELETE FROM events; INSERT INTO events SELECT * FROM kept";
            tamper(&test, restore).await;
        }
    }
    assert_eq!(assert_sound(&ledger).await, 20);
}

#[tokio::test]
async fn removal_insertion_and_another_order_are_found_where_they_begin() {
    let removed = |position| Some(Tampering::Removed { position });
    let changed = |position| Some(Tampering::Changed { position });
    let insert = "CREATE TEMP TABLE forged AS SELECT * FROM events WHERE position = 5;
         UPDATE events SET position = -position WHERE position >= 5;
         UPDATE events SET position = 1 - position WHERE position < 0;
         UPDATE forged SET event_id = gen_random_uuid(), sequence = 1000;
         INSERT INTO events SELECT * FROM forged";
    let cases = [
        ("DELETE FROM events WHERE position = 4", removed(4)),
        ("DELETE FROM events WHERE position = 1", removed(1)),
        ("DELETE FROM events WHERE position BETWEEN 3 AND 9", removed(3)),
        (
            "DELETE FROM events WHERE position = 4;
             UPDATE events SET position = -position WHERE position > 4;
             UPDATE events SET position = -position - 1 WHERE position < 0",
            changed(4),
        ),
        (
            "UPDATE events SET position = -6 WHERE position = 6; UPDATE events SET position = 6 WHERE position = 8;
             UPDATE events SET position = 8 WHERE position = -6",
            changed(6),
        ),
        (insert, changed(5)),
        (
            "INSERT INTO events SELECT 11, gen_random_uuid(), aggregate_type, aggregate_id, sequence + 1000, event_type,
                 event_version, payload, metadata, subjects, recorded_at, chain FROM events WHERE position = 10",
            changed(11),
        ),
        ("UPDATE events SET position = 12 WHERE position = 10", removed(10)),
    ];
    for (sql, found) in cases {
        let test = TestDatabase::create().await;
        let ledger = log(&test, 10).await;
        tamper(
            &test,
            "ALTER TABLE events DROP CONSTRAINT events_position_positive",
        )
        .await;
        tamper(&test, sql).await;
        let verified = ledger.verify(None, |_| {}).await.unwrap();
        assert_eq!(verified.tampering, found, "{sql}");
    }
}

/// Computes the chain anew in SQL, as somebody would who owns the server and has read the source.
const RECOMPUTE: &str = r"
    DO $$
    DECLARE
        r events;
        link bytea := decode(repeat('00', 32), 'hex');
        texts bytea;
        field text;
    BEGIN
        FOR r IN SELECT * FROM events ORDER BY position LOOP
            texts := '';
            FOREACH field IN ARRAY ARRAY[r.aggregate_type, r.aggregate_id, r.event_type, r.event_version, r.payload::text,
                                         r.metadata::text, coalesce(array_to_string(r.subjects, E'\n'), '')] LOOP
                texts := texts || int8send(octet_length(convert_to(field, 'UTF8'))) || convert_to(field, 'UTF8');
            END LOOP;
            link := sha256(link || sha256(int8send(r.position) || uuid_send(r.event_id) || int8send(r.sequence)
                || int8send((extract(epoch FROM r.recorded_at) * 1000000)::bigint) || texts));
            UPDATE events SET chain = link WHERE position = r.position;
        END LOOP;
    END
    $$";

#[tokio::test]
async fn a_cut_tail_and_a_rewritten_chain_show_only_against_an_earlier_head() {
    let test = TestDatabase::create().await;
    let ledger = log(&test, 10).await;
    let printed = ledger.head().await.unwrap();
    assert_eq!((printed.position, printed.ledger), (10, ledger.id()));
    let kept = link(&printed);
    assert_eq!(
        ledger.verify(Some(kept), |_| {}).await.unwrap().tampering,
        None
    );
    // The sum in Rust, in the append and here is the same one: recomputing an honest log changes nothing.
    tamper(&test, RECOMPUTE).await;
    assert_eq!(ledger.head().await.unwrap(), printed);

    tamper(&test, "DELETE FROM events WHERE position > 8").await;
    assert_eq!(ledger.verify(None, |_| {}).await.unwrap().tampering, None);
    let cut = Some(Tampering::CutOff {
        position: 10,
        last: 8,
    });
    assert_eq!(
        ledger.verify(Some(kept), |_| {}).await.unwrap().tampering,
        cut
    );

    for number in 0..5 {
        yes(node(&test)
            .await
            .append(job(&[(&format!("later {number}"), Expected::Any)]))
            .await);
    }
    let rewritten = Some(Tampering::Rewritten { position: 10 });
    assert_eq!(
        ledger.verify(Some(kept), |_| {}).await.unwrap().tampering,
        rewritten
    );

    let printed = ledger.head().await.unwrap();
    tamper(
        &test,
        "UPDATE events SET payload = '{\"forged\":true}' WHERE position = 3",
    )
    .await;
    tamper(&test, RECOMPUTE).await;
    assert_eq!(ledger.verify(None, |_| {}).await.unwrap().tampering, None);
    let rewritten = Some(Tampering::Rewritten {
        position: printed.position,
    });
    assert_eq!(
        ledger
            .verify(Some(link(&printed)), |_| {})
            .await
            .unwrap()
            .tampering,
        rewritten
    );

    tamper(
        &test,
        &format!("DELETE FROM events WHERE position = {}", printed.position),
    )
    .await;
    yes(node(&test)
        .await
        .append(job(&[("last", Expected::Any)]))
        .await);
    assert_eq!(
        ledger
            .verify(Some(link(&printed)), |_| {})
            .await
            .unwrap()
            .tampering,
        rewritten
    );
}

#[tokio::test]
async fn verifying_from_a_kept_head_checks_what_follows_it_and_says_how_much() {
    let test = TestDatabase::create().await;
    let ledger = log(&test, 10).await;
    let kept = link(&ledger.head().await.unwrap());
    fill(&ledger, "d", 6).await;
    let verified = ledger.verify(Some(kept), |_| {}).await.unwrap();
    assert_eq!((verified.events, verified.position), (6, 16));
    assert_eq!(verified.chain, ledger.head().await.unwrap().chain);
    tamper(
        &test,
        "UPDATE events SET event_type = 'Other' WHERE position = 14",
    )
    .await;
    let verified = ledger.verify(Some(kept), |_| {}).await.unwrap();
    assert_eq!(
        verified.tampering,
        Some(Tampering::Changed { position: 14 })
    );
    tamper(&test, "DELETE FROM events WHERE position = 10").await;
    let verified = ledger.verify(Some(kept), |_| {}).await.unwrap();
    assert_eq!(
        verified.tampering,
        Some(Tampering::Removed { position: 10 })
    );
}

#[tokio::test]
async fn a_reader_calls_a_hole_corruption() {
    let test = TestDatabase::create().await;
    let ledger = log(&test, 10).await;
    tamper(&test, "DELETE FROM events WHERE position = 4").await;
    let error = ledger.read(2, 100).await.unwrap_err();
    assert_like!(error, shiji::ledger::FeedError::Gap { after: 3, found: 5 });
}
