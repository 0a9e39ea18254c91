//! Personal data: sealed before it reaches the database, blank once erased and never for any other reason.

use shiji::events::AccountEvent;
use shiji::ledger::{
    AppendError, Expected, FeedError, Freshness, LoadError, OpenError, PERSON_ERASED, Personal,
    PersonalError, StoredEvent,
};

use super::*;

const SECRET: &str = "Zacharias-13800001234";

fn account(subject: &str, name: &str) -> NewEvent {
    let opened = AccountEvent::AccountOpened {
        name: Personal::new(subject, name.to_owned()),
        role: 0,
        perm: 0,
        country: None,
        phone: None,
    };
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: "AccountOpened".into(),
        event_version: "1".into(),
        payload: serde_json::to_string(&opened).unwrap(),
    }
}

fn opening(id: &str) -> Append {
    let mut job = job(&[(id, Expected::Any)]);
    job.streams[0].stream = StreamId::new("Account", id);
    job.streams[0].events = vec![account(&format!("Account:{id}"), SECRET)];
    job
}

fn name(payload: &str) -> Personal<String> {
    match AccountEvent::decode("AccountOpened", "1", payload).unwrap() {
        AccountEvent::AccountOpened { name, .. } => name,
        other => panic!("{other:?}"),
    }
}

async fn erase(test: &TestDatabase, subject: &str) {
    sqlx::query(
        "UPDATE subject_keys SET wrapped_key = NULL, erased_position = 1 WHERE subject = $1",
    )
    .bind(subject)
    .execute(&mut superuser(test).await)
    .await
    .unwrap();
}

#[tokio::test]
async fn no_clear_personal_text_is_anywhere_in_the_database() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let mut opening = opening("1");
    opening.receipt = Some(receipt(1, 1, SECRET));
    let told = yes(ledger.append(opening).await);
    assert_eq!(name(&told.events[0].payload).text(), SECRET);
    let stored = ledger.stream(&StreamId::new("Account", "1")).await.unwrap();
    assert_eq!(name(&stored[0].payload).text(), SECRET);
    let mut superuser = superuser(&test).await;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert!(tables.len() >= 5);
    let bytes = data_encoding::HEXLOWER.encode(SECRET.as_bytes());
    for (schema, table) in tables {
        let sql = format!(
            "SELECT count(*) FROM {schema}.{table} t WHERE t::text ILIKE '%' || $1 || '%' OR t::text LIKE '%' || $2 || '%'"
        );
        let found: i64 = sqlx::query_scalar(&sql)
            .bind(SECRET)
            .bind(&bytes)
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        assert_eq!(found, 0, "{schema}.{table}");
    }
}

#[tokio::test]
async fn another_master_key_does_not_open_the_log() {
    let test = TestDatabase::create().await;
    let _ours = node(&test).await;
    let mut theirs = options(&test);
    theirs.keys = Keys::derive(&Secret::new([8; 32]));
    assert_like!(
        Ledger::open(theirs).await.err(),
        Some(OpenError::ForeignMasterKey)
    );
    node(&test).await;
}

#[tokio::test]
async fn a_missing_or_garbled_key_is_a_fault_and_never_a_blank() {
    let spoil = [
        "DELETE FROM subject_keys",
        "UPDATE subject_keys SET wrapped_key = set_byte(wrapped_key, 20, (get_byte(wrapped_key, 20) + 1) % 256)",
        "UPDATE subject_keys SET wrapped_key = ''",
        "UPDATE subject_keys SET wrapped_key = set_byte(wrapped_key, 0, 9)",
        "UPDATE subject_keys SET wrapped_key = (SELECT wrapped_key FROM subject_keys WHERE subject = 'Account:2')
             WHERE subject = 'Account:1'",
    ];
    for sql in spoil {
        let test = TestDatabase::create().await;
        let ledger = node(&test).await;
        yes(ledger.append(opening("1")).await);
        yes(ledger.append(opening("2")).await);
        sqlx::raw_sql(sql)
            .execute(&mut superuser(&test).await)
            .await
            .unwrap();
        // The node that made the key, and one that has never seen it.
        for ledger in [ledger, node(&test).await] {
            let error = ledger
                .stream(&StreamId::new("Account", "1"))
                .await
                .unwrap_err();
            assert_like!(error, LoadError::Personal(_), "{sql}");
            let error = ledger.read(0, 10).await.unwrap_err();
            assert_like!(error, FeedError::Personal { position: 1, .. }, "{sql}");
            let loaded = ledger
                .load::<shiji::events::Account>("1", Freshness::Reread)
                .await;
            assert_like!(loaded.err(), Some(LoadError::Personal(_)), "{sql}");
            // Nothing may be sealed that nobody could open again.
            let answer = ledger.append(opening("1")).await;
            if sql.starts_with("DELETE") && answer.is_ok() {
                // A new key for somebody unknown; what the old one sealed stays a fault.
                assert_like!(
                    ledger.read(0, 10).await,
                    Err(FeedError::Personal { position: 1, .. })
                );
                assert!(ledger.read(2, 10).await.is_ok(), "the new event opens");
            }
        }
    }
}

#[tokio::test]
async fn one_person_s_spoilt_key_is_nobody_else_s_fault() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    yes(ledger.append(opening("1")).await);
    yes(ledger.append(opening("2")).await);
    sqlx::raw_sql("UPDATE subject_keys SET wrapped_key = '\\x01' WHERE subject = 'Account:1'")
        .execute(&mut superuser(&test).await)
        .await
        .unwrap();
    let ledger = node(&test).await;
    let load = |id: &'static str| ledger.load::<shiji::events::Account>(id, Freshness::Reread);
    // Both in one query of the loader.
    let (one, two) = tokio::join!(load("1"), load("2"));
    assert!(one.is_err());
    assert_eq!(two.unwrap().state.open().unwrap().name.text(), SECRET);
}

#[tokio::test]
async fn an_erased_person_reads_as_erased_and_nothing_more_is_written_about_them() {
    let test = TestDatabase::create().await;
    let (ours, theirs) = (node(&test).await, node(&test).await);
    yes(ours.append(opening("1")).await);
    yes(ours.append(opening("2")).await);
    let before = ours.head().await.unwrap();
    erase(&test, "Account:1").await;
    for ledger in [&ours, &theirs] {
        let read = ledger.read(0, 10).await.unwrap();
        assert_like!(name(&read[0].payload), Personal::Erased { .. });
        assert_eq!(name(&read[1].payload).text(), SECRET);
        // Ours remembers the key and seals with it; the log itself knows better.
        let answer = ledger.append(opening("1")).await;
        assert_like!(answer, Err(AppendError::ErasedSubject));
        let mut both = opening("2");
        both.streams.push(opening("1").streams.remove(0));
        assert_like!(ledger.append(both).await, Err(AppendError::ErasedSubject));
    }
    // Ciphertext is what is hashed.
    assert_eq!(ours.head().await.unwrap(), before);
    assert_eq!(assert_sound(&ours).await, 2);
    // What names nobody may still happen on the stream.
    let mut silent = job(&[("1", Expected::Any)]);
    silent.streams[0].stream = StreamId::new("Account", "1");
    yes(ours.append(silent).await);
}

#[tokio::test]
async fn erasing_during_the_wait_for_the_lock_is_seen() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    yes(ledger.append(opening("1")).await);
    let mut held = Held::take(&test).await;
    let waiting = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.append(opening("1")).await }
    });
    held.awaited_by(1).await;
    erase(&test, "Account:1").await;
    held.release().await;
    assert_like!(waiting.await.unwrap(), Err(AppendError::ErasedSubject));
    assert_eq!(assert_sound(&ledger).await, 1);
}

#[tokio::test]
async fn ciphertext_does_not_open_in_another_event() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    yes(ledger.append(opening("1")).await);
    yes(ledger.append(opening("1")).await);
    sqlx::raw_sql("UPDATE events SET payload = (SELECT payload FROM events WHERE position = 1) WHERE position = 2")
        .execute(&mut superuser(&test).await)
        .await
        .unwrap();
    match ledger.read(0, 10).await.unwrap_err() {
        FeedError::Personal {
            position: 2,
            source: PersonalError::DoesNotOpen { .. },
        } => {}
        other => panic!("{other:?}"),
    }
}

/// The job that forgets the person of `Account:<id>`.
fn erasing(id: &str) -> Append {
    let mut job = job(&[(id, Expected::Any)]);
    job.streams[0].stream = StreamId::new("Account", id);
    let erased = AccountEvent::PersonErased {};
    job.streams[0].events = vec![NewEvent {
        event_id: Uuid::now_v7(),
        event_type: PERSON_ERASED.into(),
        event_version: "1".into(),
        payload: serde_json::to_string(&erased).unwrap(),
    }];
    job
}

#[tokio::test]
async fn the_event_takes_the_key_with_it_and_every_node_hears() {
    let test = TestDatabase::create().await;
    let (ours, theirs) = (node(&test).await, node(&test).await);
    yes(ours.append(opening("1")).await);
    // Both remember the key.
    for ledger in [&ours, &theirs] {
        assert_eq!(
            name(&ledger.read(0, 1).await.unwrap()[0].payload).text(),
            SECRET
        );
    }
    let position = yes(ours.append(erasing("1")).await).position;
    let key = async || {
        sqlx::query_as::<_, (Option<Vec<u8>>, Option<i64>)>(
            "SELECT wrapped_key, erased_position FROM subject_keys WHERE subject = 'Account:1'",
        )
        .fetch_one(&mut superuser(&test).await)
        .await
        .unwrap()
    };
    assert_eq!(key().await, (None, Some(position)));
    for ledger in [&ours, &theirs] {
        let read = ledger.read(0, 1).await.unwrap();
        assert_like!(name(&read[0].payload), Personal::Erased { .. });
        let account = ledger
            .load::<shiji::events::Account>("1", Freshness::Reread)
            .await
            .unwrap();
        assert!(account.state.open().unwrap().name.is_erased());
        assert_like!(
            ledger.append(opening("1")).await,
            Err(AppendError::ErasedSubject)
        );
    }
    // Said twice, it happened the first time.
    yes(theirs.append(erasing("1")).await);
    assert_eq!(key().await, (None, Some(position)));
    // Of whom nothing was ever sealed nothing is sealed later.
    yes(ours.append(erasing("2")).await);
    let fresh = node(&test).await;
    assert_like!(
        fresh.append(opening("2")).await,
        Err(AppendError::ErasedSubject)
    );
    assert_eq!(assert_sound(&ours).await, 4);
}

#[tokio::test]
async fn a_job_that_fails_takes_no_key() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    yes(ledger.append(opening("1")).await);
    let mut stale = erasing("1");
    stale.guards.push((StreamId::new("Account", "1"), 7));
    assert_like!(ledger.append(stale).await, Err(AppendError::Stale));
    let read = node(&test).await.read(0, 1).await.unwrap();
    assert_eq!(name(&read[0].payload).text(), SECRET);
}

#[tokio::test]
async fn answers_kept_by_and_about_the_person_are_dropped_and_others_stay() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let with = |mut job: Append, number: u8, outcome: &str| {
        job.receipt = Some(receipt(number, number, outcome));
        job
    };
    let told = r#"{"outcome":{"Ok":null},"changes":[{"aggregate":"Account","id":"1"}]}"#;
    let other = r#"{"outcome":{"Ok":"1"},"changes":[{"aggregate":"Account","id":"11"}]}"#;
    let note = |id: &str| job(&[(id, Expected::Any)]);
    let mut made = note("by them");
    made.metadata.actor = "person:1".to_owned();
    yes(ledger.append(with(opening("1"), 1, "{}")).await);
    yes(ledger.append(with(made, 2, "{}")).await);
    yes(ledger.append(with(note("a"), 3, told)).await);
    yes(ledger.append(with(note("b"), 4, other)).await);
    let erased = yes(ledger.append(with(erasing("1"), 5, told)).await);
    let person = StreamId::new("Account", "1");
    let dropped = ledger
        .drop_traces(&person, Some("person:1"), erased.position)
        .await
        .unwrap();
    assert_eq!(dropped.receipts, 3);
    for (number, stays) in [(1, false), (2, false), (3, false), (4, true), (5, true)] {
        let kept = ledger.receipt(&[number; 32]).await.unwrap();
        assert_eq!(kept.is_some(), stays, "{number}");
    }
    let again = ledger.drop_traces(&person, Some("person:1"), erased.position);
    assert_eq!(again.await.unwrap().receipts, 0);
}

#[tokio::test]
async fn the_keys_of_an_event_are_found_by_their_index_however_many_persons_there_are() {
    let test = TestDatabase::create().await;
    let mut owner = test.database().connect_owner().await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO subject_keys (subject, wrapped_key)
         SELECT 'Account:' || n, decode(repeat('00', 60), 'hex') FROM generate_series(1, 3000) n;
         ANALYZE subject_keys",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT k.* FROM events e CROSS JOIN LATERAL ledger_keys(e.subjects) k",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("subject_keys_pkey"), "{plan}");
    assert!(!plan.contains("Seq Scan on subject_keys"), "{plan}");
}
