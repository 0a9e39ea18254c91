//! What the queries answer.

use chrono::DateTime;
use shiji::events::{AccountEvent, MediaEvent, SessionEvent, TaskEvent};
use shiji::ledger::StreamId;
use shiji::projections::{media, sessions, staff, tasks};
use uuid::Uuid;

use super::{append, created, ledger, opened, projector, proven, shown, task};
use crate::support::TestDatabase;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_newest_first_and_knows_its_total_and_its_people() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let pool = test.pool();
    let empty = tasks::page(&pool, 0, 20).await.unwrap();
    assert_eq!((empty.total, empty.items.len()), (0, 0));

    append(
        &ledger,
        StreamId::new("Account", "backend:1"),
        &[opened(1, "司马迁")],
    )
    .await;
    for id in 1..=25 {
        append(&ledger, task(id), &[created(&format!("note {id}"))]).await;
    }
    append(&ledger, task(25), &[TaskEvent::TaskStarted {}]).await;
    let position = append(&ledger, task(7), &[TaskEvent::TaskDeleted {}]).await;
    shown(&ledger, position).await;

    let page = tasks::page(&pool, 0, 20).await.unwrap();
    assert_eq!(page.total, 24);
    let ids: Vec<i64> = page.items.iter().map(|item| item.id).collect();
    let expected: Vec<i64> = (5..=25).rev().filter(|id| *id != 7).collect();
    assert_eq!(ids, expected);
    let first = &page.items[0];
    assert_eq!(
        (first.status, first.kind.as_str(), first.priority),
        (2, "image", 3)
    );
    assert_eq!((first.note.as_str(), first.user_uid), ("note 25", 1));
    assert_eq!(first.user_name, "司马迁");
    let last = tasks::page(&pool, 20, 20).await.unwrap();
    assert_eq!((last.total, last.items.len()), (24, 4));
    let beyond = tasks::page(&pool, 1_000, 20).await.unwrap();
    assert_eq!((beyond.total, beyond.items.len()), (24, 0));

    assert_eq!(tasks::detail(&pool, 7).await.unwrap(), None);
    let detail = tasks::detail(&pool, 25).await.unwrap().unwrap();
    assert_eq!((detail.input.as_str(), detail.result.as_str()), ("in", ""));
    proven(&pool, position).await;
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_sessions_and_files_are_found() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let _projector = projector(&test, &ledger).await;
    let pool = test.pool();
    assert!(!staff::any(&pool).await.unwrap());
    let account = |id: &str| StreamId::new("Account", id);
    append(&ledger, account("backend:1"), &[opened(1, "a")]).await;
    append(
        &ledger,
        account("backend:2"),
        &[opened(2, "b"), AccountEvent::PersonErased {}],
    )
    .await;
    append(&ledger, account("member:9"), &[opened(9, "c")]).await;

    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    for (hash, account, expires_at) in [
        ("h1", "backend:1", 50),
        ("h2", "backend:1", 200),
        ("h3", "backend:1", 300),
        ("h4", "backend:2", 400),
    ] {
        let session = SessionEvent::SessionOpened {
            account: account.to_owned(),
            credential_version: 1,
            expires_at: at(expires_at),
        };
        append(&ledger, StreamId::new("Session", hash), &[session]).await;
    }
    append(
        &ledger,
        StreamId::new("Session", "h3"),
        &[SessionEvent::SessionClosed {}],
    )
    .await;

    let id = Uuid::now_v7();
    let stored = MediaEvent::MediaStored {
        uri: "/upload/20240102/x.png".to_owned(),
        content_type: "image/png".to_owned(),
        size_bytes: 12,
        sha256: "ab".to_owned(),
    };
    let file = StreamId::new("Media", id.to_string());
    let position = append(
        &ledger,
        file.clone(),
        &[MediaEvent::MediaIdIssued { issued_to: None }, stored],
    )
    .await;
    shown(&ledger, position).await;

    let everybody = staff::page(&pool, 0, 10).await.unwrap();
    let people: Vec<(i64, &str, bool)> = everybody
        .iter()
        .map(|s| (s.uid, s.name.as_str(), s.enabled))
        .collect();
    assert_eq!(people, [(1, "a", true), (2, "", false)]);
    assert!(staff::any(&pool).await.unwrap());
    assert_eq!(staff::by_uid(&pool, 1).await.unwrap().unwrap().perm, 5);
    assert_eq!(
        sessions::open_of(&pool, "backend:1", at(100))
            .await
            .unwrap(),
        ["h2"]
    );

    let found = media::by_uri(&pool, "/upload/20240102/x.png")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.id, found.size_bytes, found.content_type.as_str()),
        (id, 12, "image/png")
    );
    let position = append(&ledger, file, &[MediaEvent::MediaDeleted {}]).await;
    shown(&ledger, position).await;
    assert_eq!(
        media::by_uri(&pool, "/upload/20240102/x.png")
            .await
            .unwrap(),
        None
    );
    proven(&pool, position).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_near_and_deep_follow_each_other() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let _projector = projector(&test, &ledger).await;
    let pool = test.pool();
    let mut position = 0;
    for id in 1..=131 {
        position = append(&ledger, task(id), &[created("x")]).await;
    }
    shown(&ledger, position).await;
    let mut seen = Vec::new();
    while seen.len() < 131 {
        let offset = i64::try_from(seen.len()).unwrap();
        let page = tasks::page(&pool, offset, 9).await.unwrap();
        assert_eq!(page.total, 131);
        assert!(
            !page.items.is_empty() && page.items.len() <= 9,
            "at {offset}"
        );
        seen.extend(page.items.iter().map(|item| item.id));
    }
    assert_eq!(seen, (1..=131).rev().collect::<Vec<i64>>());
}
