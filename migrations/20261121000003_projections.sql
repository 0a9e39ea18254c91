-- How far the read tables are, who moves them, and what they could not take. The tables themselves are made from each
-- projection's own `tables.sql`, in a schema per version.

-- Who moves a version of a projection. A node takes all versions of its build that are free at once; `fence` grows with
-- every change of hands.
CREATE TABLE projection_leases (
    projection text        COLLATE "C" NOT NULL,
    version    integer     NOT NULL,
    holder     uuid,
    fence      bigint      NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT projection_leases_key PRIMARY KEY (projection, version)
) WITH (fillfactor = 50);

-- One row per version of a projection. Every batch begins by locking its rows and goes away when the fence is not its
-- own. A row is found by the position it stands at, which only grows: it is updated with every batch, and the versions
-- that an old snapshot (a backup) keeps alive must lie behind it in the index and not in front of it. The counts say what
-- became of the events up to the position, {"Task/TaskCreated": [handled, ignored, parked]}: the left side of the proof.
-- The revision is raised whenever the set of parked streams changes.
CREATE TABLE projection_checkpoints (
    projection text    COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    position   bigint  NOT NULL DEFAULT 0,
    fence      bigint  NOT NULL DEFAULT 0,
    revision   bigint  NOT NULL DEFAULT 0,
    counts     jsonb   NOT NULL DEFAULT '{}',
    CONSTRAINT projection_checkpoints_key PRIMARY KEY (projection, version, position)
);

-- Events set aside, with every later one of their stream, until `projections retry`. The first of a stream carries the
-- error; the events themselves stand in the log.
CREATE TABLE projection_parked (
    projection text        COLLATE "C" NOT NULL,
    version    integer     NOT NULL,
    position   bigint      NOT NULL,
    aggregate  text        COLLATE "C" NOT NULL,
    stream_id  text        COLLATE "C" NOT NULL,
    event_type text        COLLATE "C" NOT NULL,
    error      text        COLLATE "C",
    parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT projection_parked_key PRIMARY KEY (projection, version, position)
);
CREATE INDEX projection_parked_stream ON projection_parked (projection, version, aggregate, stream_id, position);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON projection_leases, projection_checkpoints, projection_parked
    TO shiji_service;
