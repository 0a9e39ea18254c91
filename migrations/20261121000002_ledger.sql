-- The event store: one log for every surface, gapless, chained, append-only for the service.
-- Why one function instead of plain inserts: positions must be 1, 2, 3 … in commit order on any number of
-- nodes, so numbering, checking and inserting happen under one lock, in statements that begin after the wait.

-- Who this log is. The generation is raised by a restore; the check value refuses a foreign master key.
CREATE TABLE ledger (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    id          uuid        NOT NULL DEFAULT gen_random_uuid(),
    generation  bigint      NOT NULL DEFAULT 1 CHECK (generation >= 1),
    key_check   bytea,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO ledger DEFAULT VALUES;

-- Columns of postgres-es 0.5 (so that its repository reads every stream) and what it lacks.
CREATE TABLE events (
    position       bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    aggregate_type text        COLLATE "C" NOT NULL,
    aggregate_id   text        COLLATE "C" NOT NULL,
    sequence       bigint      NOT NULL,
    event_type     text        COLLATE "C" NOT NULL,
    event_version  text        COLLATE "C" NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    subjects       text[]      COLLATE "C",
    recorded_at    timestamptz NOT NULL,
    chain          bytea       NOT NULL,
    CONSTRAINT events_position PRIMARY KEY (position),
    CONSTRAINT events_stream UNIQUE (aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_event_id UNIQUE (event_id),
    CONSTRAINT events_position_positive CHECK (position >= 1),
    CONSTRAINT events_sequence_positive CHECK (sequence >= 1)
);
-- Rows are never updated: pages may be full. Inserts alone must trigger vacuum, for the visibility map.
ALTER TABLE events SET (fillfactor = 100, autovacuum_vacuum_insert_scale_factor = 0.1);

-- A data key per person, wrapped by the master key. A row stays for ever: a key, or where it was erased.
CREATE TABLE subject_keys (
    subject         text   COLLATE "C" PRIMARY KEY,
    wrapped_key     bytea,
    erased_position bigint,
    CONSTRAINT subject_keys_key_or_erasure CHECK ((wrapped_key IS NULL) <> (erased_position IS NULL))
);

-- What a command under an `Idempotency-Key` came to. 24 hours, then swept.
CREATE TABLE idempotency_keys (
    key         bytea       PRIMARY KEY,
    digest      bytea       NOT NULL,
    outcome     bytea       NOT NULL,
    position    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_recorded_at ON idempotency_keys (recorded_at);

-- States of long streams. Columns of postgres-es 0.5, and the shape of the state they hold.
CREATE TABLE snapshots (
    aggregate_type   text   COLLATE "C" NOT NULL,
    aggregate_id     text   COLLATE "C" NOT NULL,
    last_sequence    bigint NOT NULL,
    current_snapshot bigint NOT NULL,
    payload          json   NOT NULL,
    shape            text   NOT NULL DEFAULT '',
    subjects         text[] COLLATE "C",
    PRIMARY KEY (aggregate_type, aggregate_id)
);

-- One integer sequence per aggregate.
CREATE SCHEMA ids;
CREATE SEQUENCE ids.staff AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids.task AS bigint MAXVALUE 9007199254740991;

-- Appends a batch of jobs. One row comes back: a verdict per job, and what the caller could not know.
--
-- verdicts: 0 accepted, 1 stale (a stream or guard moved), 2 repeated (the receipt is there),
--           3 already in the log (marked resend), 4 a subject is erased, 5 a subject's key is not in the log.
-- stream_versions: the last sequence of each named stream, before this batch.
CREATE FUNCTION ledger_append(
    p_jobs              integer,
    p_first_events      uuid[],    -- per job, only for a marked resend: its first event id (or null)
    p_stream_job        integer[], -- per named stream, written or guarded
    p_stream_type       text[],
    p_stream_id         text[],
    p_stream_expected   bigint[],  -- -1: any
    p_event_job         integer[], -- per event, in order
    p_event_stream      integer[], -- index into the stream arrays
    p_event_id          uuid[],
    p_aggregate_type    text[],
    p_aggregate_id      text[],
    p_event_type        text[],
    p_event_version     text[],
    p_payload           text[],
    p_metadata          text[],
    p_subjects          text[],    -- newline between two
    p_receipt_job       integer[],
    p_receipt_key       bytea[],
    p_receipt_digest    bytea[],
    p_receipt_outcome   bytea[],
    p_subject_job       integer[], -- per sealed subject
    p_subject           text[],
    p_notify            boolean DEFAULT true -- is there another node to be told?
) RETURNS TABLE (
    verdicts          integer[],
    last_positions    bigint[],
    stream_versions   bigint[],
    receipt_digests   bytea[],
    receipt_outcomes  bytea[],
    at                timestamptz
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
-- Every look-up is by a unique index, whatever the statistics said when a plan was made on an empty table.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
-- And every plan is made once: planning anew for each batch's arrays takes as long as the append itself.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_verdict   integer[] := array_fill(0, ARRAY[p_jobs]);
    v_last      bigint[]  := array_fill(0::bigint, ARRAY[p_jobs]);
    v_digest    bytea[]   := array_fill(NULL::bytea, ARRAY[p_jobs]);
    v_outcome   bytea[]   := array_fill(NULL::bytea, ARRAY[p_jobs]);
    v_version   bigint[];
    v_next      bigint[];
    v_position  bigint;
    v_head      bigint;
    v_chain     bytea;
    v_at        timestamptz;
    v_at_bytes  bytea;
    v_positions bigint[]  := array_fill(NULL::bigint, ARRAY[cardinality(p_event_id)]);
    v_sequences bigint[]  := array_fill(NULL::bigint, ARRAY[cardinality(p_event_id)]);
    v_chains    bytea[]   := array_fill(NULL::bytea, ARRAY[cardinality(p_event_id)]);
    v_stream    integer;
    v_sequence  bigint;
    v_job       integer;
    r           record;
    b_id        bytea;
    b_kind      bytea;
    b_name      bytea;
    b_version   bytea;
    b_payload   bytea;
    b_metadata  bytea;
    b_subjects  bytea;
    b_type      bytea;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'ledger_append needs READ COMMITTED, not %', current_setting('transaction_isolation')
            USING ERRCODE = 'invalid_transaction_state';
    END IF;

    -- Nothing is read before this: only later statements see what was committed during the wait.
    PERFORM pg_advisory_xact_lock(7381240953028617);

    -- Is it already there? Only a batch sent again asks.
    IF p_first_events IS NOT NULL THEN
        FOR r IN
            SELECT f.n::integer AS job, e.metadata IS NOT NULL AS found,
                   (SELECT max(l.position) FROM unnest(p_event_job, p_event_id) AS x(job, id)
                      JOIN events l ON l.event_id = x.id WHERE x.job = f.n) AS last_position
            FROM unnest(p_first_events) WITH ORDINALITY AS f(id, n)
            JOIN events e ON e.event_id = f.id
        LOOP
            v_verdict[r.job] := 3;
            v_last[r.job] := r.last_position;
        END LOOP;
    END IF;

    -- Has this request been answered before?
    IF cardinality(p_receipt_job) > 0 THEN
        FOR r IN
            SELECT q.job, k.digest, k.outcome, k.position
            FROM unnest(p_receipt_job, p_receipt_key) AS q(job, key)
            JOIN idempotency_keys k ON k.key = q.key AND k.recorded_at > clock_timestamp() - interval '24 hours'
        LOOP
            IF v_verdict[r.job] = 0 THEN
                v_verdict[r.job] := 2;
                v_last[r.job] := r.position;
                v_digest[r.job] := r.digest;
                v_outcome[r.job] := r.outcome;
            END IF;
        END LOOP;
    END IF;

    -- May this person still be written about? And will anybody be able to open it (a restore may have taken the key away)?
    IF cardinality(p_subject_job) > 0 THEN
        FOR r IN
            SELECT q.job, CASE WHEN k.subject IS NULL THEN 5 ELSE 4 END AS verdict
            FROM unnest(p_subject_job, p_subject) AS q(job, subject)
            LEFT JOIN subject_keys k ON k.subject = q.subject
            WHERE k.wrapped_key IS NULL
        LOOP
            IF v_verdict[r.job] = 0 THEN
                v_verdict[r.job] := r.verdict;
            END IF;
        END LOOP;
    END IF;

    -- Where do the named streams stand? A sub-select, not a join, whose plan decays on an empty table.
    SELECT coalesce(array_agg(coalesce((
               SELECT e.sequence FROM events e
               WHERE e.aggregate_type = s.kind AND e.aggregate_id = s.id
               ORDER BY e.sequence DESC LIMIT 1
           ), 0) ORDER BY s.n), '{}')
    INTO v_version
    FROM unnest(p_stream_type, p_stream_id) WITH ORDINALITY AS s(kind, id, n);

    FOR i IN 1 .. cardinality(p_stream_job) LOOP
        IF p_stream_expected[i] >= 0 AND p_stream_expected[i] <> v_version[i] THEN
            v_job := p_stream_job[i];
            IF v_verdict[v_job] = 0 THEN
                v_verdict[v_job] := 1;
            END IF;
        END IF;
    END LOOP;

    SELECT e.position, e.chain, e.recorded_at INTO v_head, v_chain, v_at
    FROM events e ORDER BY e.position DESC LIMIT 1;
    v_head := coalesce(v_head, 0);
    v_chain := coalesce(v_chain, '\x0000000000000000000000000000000000000000000000000000000000000000');
    v_at := greatest(clock_timestamp(), v_at);
    v_at_bytes := int8send((extract(epoch FROM v_at) * 1000000)::bigint);

    -- Number and chain. Written out: a helper is not inlined and costs twenty times as much.
    v_position := v_head;
    v_next := v_version;
    FOR i IN 1 .. cardinality(p_event_id) LOOP
        v_job := p_event_job[i];
        IF v_verdict[v_job] = 0 THEN
            v_stream := p_event_stream[i];
            v_position := v_position + 1;
            v_sequence := v_next[v_stream] + 1;
            v_next[v_stream] := v_sequence;
            b_kind := convert_to(p_aggregate_type[i], 'UTF8');
            b_name := convert_to(p_aggregate_id[i], 'UTF8');
            b_type := convert_to(p_event_type[i], 'UTF8');
            b_version := convert_to(p_event_version[i], 'UTF8');
            b_payload := convert_to(p_payload[i], 'UTF8');
            b_metadata := convert_to(p_metadata[i], 'UTF8');
            b_subjects := convert_to(coalesce(p_subjects[i], ''), 'UTF8');
            v_chain := sha256(v_chain || sha256(
                int8send(v_position) || uuid_send(p_event_id[i]) || int8send(v_sequence) || v_at_bytes
                || int8send(octet_length(b_kind)) || b_kind
                || int8send(octet_length(b_name)) || b_name
                || int8send(octet_length(b_type)) || b_type
                || int8send(octet_length(b_version)) || b_version
                || int8send(octet_length(b_payload)) || b_payload
                || int8send(octet_length(b_metadata)) || b_metadata
                || int8send(octet_length(b_subjects)) || b_subjects));
            v_positions[i] := v_position;
            v_sequences[i] := v_sequence;
            v_chains[i] := v_chain;
            v_last[v_job] := v_position;
        END IF;
    END LOOP;

    IF v_position > v_head THEN
        INSERT INTO events (position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version,
                            payload, metadata, subjects, recorded_at, chain)
        SELECT n.position, n.event_id, n.kind, n.id, n.sequence, n.event_type, n.event_version,
               n.payload::json, n.metadata::json, string_to_array(n.subjects, E'\n'), v_at, n.chain
        FROM unnest(v_positions, p_event_id, p_aggregate_type, p_aggregate_id, v_sequences, p_event_type,
                    p_event_version, p_payload, p_metadata, p_subjects, v_chains)
             AS n(position, event_id, kind, id, sequence, event_type, event_version, payload, metadata, subjects, chain)
        WHERE n.position IS NOT NULL;
        -- Commits that notify wait for each other, the disk included: nobody pays for that without need.
        IF p_notify THEN
            PERFORM pg_notify('shiji_events', v_position::text);
        END IF;
    END IF;

    -- A job without events stands at the head it was checked under.
    FOR i IN 1 .. p_jobs LOOP
        IF v_verdict[i] = 0 AND v_last[i] = 0 THEN
            v_last[i] := v_position;
        END IF;
    END LOOP;

    IF cardinality(p_receipt_job) > 0 THEN
        INSERT INTO idempotency_keys AS k (key, digest, outcome, position, recorded_at)
        SELECT q.key, q.digest, q.outcome, v_last[q.job], v_at
        FROM unnest(p_receipt_job, p_receipt_key, p_receipt_digest, p_receipt_outcome) AS q(job, key, digest, outcome)
        WHERE v_verdict[q.job] = 0
        ON CONFLICT (key) DO UPDATE
            SET digest = EXCLUDED.digest, outcome = EXCLUDED.outcome,
                position = EXCLUDED.position, recorded_at = EXCLUDED.recorded_at;
    END IF;

    RETURN QUERY SELECT v_verdict, v_last, v_version, v_digest, v_outcome, v_at;
END
$$;

-- The next integers of an aggregate's sequence, in order.
CREATE FUNCTION ledger_next_ids(p_sequence text, p_count integer) RETURNS SETOF bigint
LANGUAGE sql VOLATILE AS $$
    SELECT nextval(format('ids.%I', p_sequence)::regclass) FROM generate_series(1, p_count)
$$;

-- Ties the log to a master key, once. Answers the check value that stands.
CREATE FUNCTION ledger_key_check(p_check bytea) RETURNS bytea
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    UPDATE ledger SET key_check = p_check WHERE key_check IS NULL;
    SELECT key_check FROM ledger
$$;

-- The service reads the log and appends to it; it cannot change or remove what is there.
REVOKE ALL ON ledger, events FROM PUBLIC, shiji_service;
REVOKE ALL ON FUNCTION ledger_append, ledger_key_check FROM PUBLIC;
GRANT SELECT ON ledger, events TO shiji_service;
-- A key for somebody new; never another key, nor an erasure.
GRANT SELECT, INSERT (subject, wrapped_key) ON subject_keys TO shiji_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys, snapshots TO shiji_service;
GRANT USAGE ON SCHEMA public, ids TO shiji_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA ids TO shiji_service;
GRANT EXECUTE ON FUNCTION ledger_append, ledger_next_ids, ledger_key_check TO shiji_service;
