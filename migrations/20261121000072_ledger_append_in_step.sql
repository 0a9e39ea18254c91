-- The same append. Arrays are walked in step in the select list: in FROM the server lays each of them down first, which takes
-- a third of the time of the whole insert.
CREATE OR REPLACE FUNCTION ledger_append(
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
    v_version := ARRAY(
        SELECT coalesce((
            SELECT e.sequence FROM events e
            WHERE e.aggregate_type = s.kind AND e.aggregate_id = s.id
            ORDER BY e.sequence DESC LIMIT 1
        ), 0)
        FROM (SELECT unnest(p_stream_type) AS kind, unnest(p_stream_id) AS id) AS s
    );

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
        FROM (
            SELECT unnest(v_positions) AS position, unnest(p_event_id) AS event_id, unnest(p_aggregate_type) AS kind,
                   unnest(p_aggregate_id) AS id, unnest(v_sequences) AS sequence, unnest(p_event_type) AS event_type,
                   unnest(p_event_version) AS event_version, unnest(p_payload) AS payload, unnest(p_metadata) AS metadata,
                   unnest(p_subjects) AS subjects, unnest(v_chains) AS chain
        ) AS n
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
