-- The shape of our events table, for one-row inserts by pgbench.
CREATE TABLE events (
    position       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id       uuid        NOT NULL UNIQUE,
    aggregate_type text        COLLATE "C" NOT NULL,
    aggregate_id   text        COLLATE "C" NOT NULL,
    sequence       bigint      NOT NULL,
    event_type     text        COLLATE "C" NOT NULL,
    event_version  text        COLLATE "C" NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    chain          bytea       NOT NULL,
    UNIQUE (aggregate_type, aggregate_id, sequence)
);

-- The read tables behind our task list, for the list's statements by pgbench.
CREATE TABLE staff (
    uid  bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL
);

CREATE TABLE tasks (
    id       bigint   PRIMARY KEY,
    status   smallint NOT NULL,
    kind     text     COLLATE "C" NOT NULL,
    priority smallint NOT NULL,
    input    text     COLLATE "C" NOT NULL,
    result   text     COLLATE "C" NOT NULL,
    note     text     COLLATE "C" NOT NULL,
    uid      bigint   NOT NULL
);

CREATE TABLE task_totals (
    total bigint NOT NULL
);

INSERT INTO staff VALUES (1, 'bench');
