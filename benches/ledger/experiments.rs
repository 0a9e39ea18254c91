//! The experiments behind the shape of `ledger_append`. Run them before doing otherwise.

use std::time::{Duration, Instant};

use shiji::postgres::Database;
use sqlx::{Connection, PgConnection};

async fn timed(connection: &mut PgConnection, sql: &str) -> sqlx::Result<f64> {
    let began = Instant::now();
    sqlx::raw_sql(sql).execute(connection).await?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

/// Milliseconds for 20,000 links: written out, and through a helper function.
pub async fn chain(database: &Database) -> sqlx::Result<(f64, f64)> {
    let mut connection = database.connect_owner().await?;
    sqlx::raw_sql(
        "CREATE FUNCTION pg_temp.field(t text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
             $$ SELECT int8send(octet_length(t)::bigint) || convert_to(t, 'UTF8') $$;
         CREATE FUNCTION pg_temp.link(before bytea, n bigint, a text, b text, c text) RETURNS bytea LANGUAGE plpgsql AS
             $$ BEGIN RETURN sha256(before || sha256(int8send(n) || pg_temp.field(a) || pg_temp.field(b) || pg_temp.field(c))); END $$;",
    )
    .execute(&mut connection)
    .await?;
    let body = |step: &str| {
        format!(
            "DO $do$ DECLARE chain bytea := '\\x00'; a text := 'Task'; b text := '4711'; c text := repeat('x', 200);
                 x bytea; y bytea; z bytea;
             BEGIN FOR n IN 1 .. 20000 LOOP {step} END LOOP; END $do$"
        )
    };
    let inline = body(
        "x := convert_to(a, 'UTF8'); y := convert_to(b, 'UTF8'); z := convert_to(c, 'UTF8');
         chain := sha256(chain || sha256(int8send(n::bigint) || int8send(octet_length(x)::bigint) || x
             || int8send(octet_length(y)::bigint) || y || int8send(octet_length(z)::bigint) || z));",
    );
    let helper = body("chain := pg_temp.link(chain, n::bigint, a, b, c);");
    timed(&mut connection, &inline).await?;
    let inline = timed(&mut connection, &inline).await?;
    let helper = timed(&mut connection, &helper).await?;
    connection.close().await?;
    Ok((inline, helper))
}

/// Batches per second with the head read from the last row, and with a head row updated once per batch; while an
/// old snapshot keeps every version of that row alive.
pub async fn head_row(database: &Database, time: Duration) -> sqlx::Result<(f64, f64)> {
    let mut connection = database.connect_owner().await?;
    sqlx::raw_sql(
        "CREATE TABLE log_last (position bigint PRIMARY KEY, body text);
         CREATE TABLE log_head (position bigint PRIMARY KEY, body text);
         CREATE TABLE head (one boolean PRIMARY KEY, position bigint);
         INSERT INTO head VALUES (true, 0); INSERT INTO log_last VALUES (0, ''); SET synchronous_commit = off",
    )
    .execute(&mut connection)
    .await?;
    let mut old = database.connect_owner().await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM head")
        .execute(&mut old)
        .await?;
    let last = batches(
        &mut connection,
        "INSERT INTO log_last SELECT (SELECT position FROM log_last ORDER BY position DESC LIMIT 1) + n, 'x'
         FROM generate_series(1, 16) n",
        time,
    )
    .await?;
    let head = batches(
        &mut connection,
        "WITH moved AS (UPDATE head SET position = position + 16 RETURNING position)
         INSERT INTO log_head SELECT position - 16 + n, 'x' FROM moved, generate_series(1, 16) n",
        time,
    )
    .await?;
    old.close().await?;
    sqlx::raw_sql("DROP TABLE log_last, log_head, head")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok((last, head))
}

async fn batches(connection: &mut PgConnection, sql: &str, time: Duration) -> sqlx::Result<f64> {
    let began = Instant::now();
    let mut done = 0_u32;
    while began.elapsed() < time {
        sqlx::query(sql).execute(&mut *connection).await?;
        done += 1;
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

/// Milliseconds for 200 look-ups of 256 streams in a table that grew after its plans were made on the empty table.
pub async fn versions(database: &Database) -> sqlx::Result<(f64, f64)> {
    let mut connection = database.connect_owner().await?;
    sqlx::raw_sql(
        "SET plan_cache_mode = force_generic_plan;
         CREATE TABLE streams (kind text COLLATE \"C\", id text COLLATE \"C\", sequence bigint, UNIQUE (kind, id, sequence));
         ALTER TABLE streams SET (autovacuum_enabled = off);
         ANALYZE streams;
         CREATE FUNCTION pg_temp.by_subselect(ids text[]) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE r bigint; BEGIN
             SELECT sum(coalesce((SELECT e.sequence FROM streams e WHERE e.kind = 'Task' AND e.id = s.id
                                  ORDER BY e.sequence DESC LIMIT 1), 0)) INTO r FROM unnest(ids) s(id);
             RETURN r; END $$;
         CREATE FUNCTION pg_temp.by_join(ids text[]) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE r bigint; BEGIN
             SELECT sum(v) INTO r FROM (SELECT s.id, coalesce(max(e.sequence), 0) v FROM unnest(ids) s(id)
                 LEFT JOIN streams e ON e.kind = 'Task' AND e.id = s.id GROUP BY s.id) x;
             RETURN r; END $$;
         SELECT pg_temp.by_subselect('{1}'), pg_temp.by_join('{1}');
         INSERT INTO streams SELECT 'Task', n::text, 1 FROM generate_series(1, 50000) n;",
    )
    .execute(&mut connection)
    .await?;
    let body = |name: &str| {
        format!(
            "DO $do$ DECLARE ids text[] := ARRAY(SELECT n::text FROM generate_series(1, 256) n); BEGIN
                 FOR n IN 1 .. 200 LOOP PERFORM pg_temp.{name}(ids); END LOOP; END $do$"
        )
    };
    let subselect = timed(&mut connection, &body("by_subselect")).await?;
    let join = timed(&mut connection, &body("by_join")).await?;
    sqlx::raw_sql("DROP TABLE streams")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok((subselect, join))
}
