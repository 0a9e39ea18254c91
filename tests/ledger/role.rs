//! What the service's own database role may not do.

use super::*;

/// Statements that must all be refused for want of privilege.
const FORBIDDEN: &[&str] = &[
    "UPDATE events SET payload = '{}'",
    "UPDATE events SET recorded_at = now() WHERE position = 1",
    "DELETE FROM events WHERE position = 1",
    "TRUNCATE events",
    "INSERT INTO events SELECT position + 1, gen_random_uuid(), aggregate_type, aggregate_id, sequence + 1, event_type,
         event_version, payload, metadata, subjects, recorded_at, chain FROM events",
    "ALTER TABLE events DROP CONSTRAINT events_position",
    "ALTER TABLE events DISABLE TRIGGER ALL",
    "ALTER TABLE events OWNER TO shiji_service",
    "DROP TABLE events",
    "CREATE TRIGGER t BEFORE INSERT ON events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE r AS ON INSERT TO events DO INSTEAD NOTHING",
    "CREATE INDEX ON events (recorded_at)",
    "SELECT * FROM events FOR UPDATE",
    "DO $$ BEGIN LOCK TABLE events IN ACCESS EXCLUSIVE MODE; END $$",
    "CREATE TABLE public.other (a int)",
    "CREATE FUNCTION public.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'",
    "CREATE OR REPLACE FUNCTION ledger_key_check(p_check bytea) RETURNS bytea LANGUAGE sql AS 'SELECT p_check'",
    "DROP FUNCTION ledger_key_check",
    "UPDATE ledger SET generation = generation + 1",
    "UPDATE ledger SET key_check = NULL",
    "DELETE FROM ledger",
    "INSERT INTO ledger (one) VALUES (true)",
    "UPDATE subject_keys SET wrapped_key = NULL, erased_position = 1",
    "UPDATE subject_keys SET wrapped_key = '\\x00'",
    "DELETE FROM subject_keys",
    "TRUNCATE subject_keys",
    "INSERT INTO subject_keys (subject, erased_position) VALUES ('Account:other', 1)",
    "INSERT INTO subject_keys (subject, wrapped_key) VALUES ('Account:1', '\\x01')
         ON CONFLICT (subject) DO UPDATE SET wrapped_key = EXCLUDED.wrapped_key",
    "SELECT setval('ids.task', 1)",
    "ALTER SEQUENCE ids.task RESTART",
    "COPY events TO PROGRAM 'cat'",
];

#[tokio::test]
async fn the_service_selects_and_appends_and_nothing_else() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "a", 2).await;
    sqlx::query("INSERT INTO subject_keys (subject, wrapped_key) VALUES ('Account:1', '\\x01')")
        .execute(&service(&test))
        .await
        .unwrap();
    for sql in FORBIDDEN {
        let error = sqlx::query(sql).execute(&service(&test)).await;
        let error = error.expect_err(sql).into_database_error().expect(sql);
        assert_eq!(error.code().as_deref(), Some("42501"), "{sql}: {error}");
    }
    assert_eq!(assert_sound(&ledger).await, 2);
}

#[tokio::test]
async fn the_append_function_does_not_lend_its_rights_to_what_the_caller_puts_in_the_way() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let mut connection = test.database().connect("sly", &[]).await.unwrap();
    // Tables of its own under the same names, in front of the search path.
    for sql in [
        "CREATE TEMP TABLE events (LIKE public.events)",
        "CREATE TEMP TABLE idempotency_keys (LIKE public.idempotency_keys)",
        "CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'",
        "SET search_path = pg_temp, public",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    sqlx::query(
        "SELECT ledger_append(1, NULL, '{1}', '{Note}', '{a}', '{0}', '{1}', '{1}', ARRAY[gen_random_uuid()], '{Note}', '{a}',
             '{Noted}', '{1}', ARRAY['{}'], ARRAY['{}'], ARRAY[NULL]::text[], '{}', '{}', '{}', '{}', '{}', '{}')",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(assert_sound(&ledger).await, 1);
}
