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
);
ALTER TABLE projection_leases SET (fillfactor = 50);

-- Every batch begins by locking these rows. The fence is the lease's under which the row was moved last: a leader that
-- finds a higher one was replaced.
CREATE TABLE projection_checkpoints (
    projection text   COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    position   bigint NOT NULL DEFAULT 0,
    fence      bigint NOT NULL DEFAULT 0,
    CONSTRAINT projection_checkpoints_key PRIMARY KEY (projection, version)
);
ALTER TABLE projection_checkpoints SET (fillfactor = 50);

-- What became of every event up to the checkpoint, by its type: the left side of the proof by counts.
CREATE TABLE projection_counts (
    projection text    COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    aggregate  text    COLLATE "C" NOT NULL,
    event_type text    COLLATE "C" NOT NULL,
    handled    bigint  NOT NULL DEFAULT 0,
    ignored    bigint  NOT NULL DEFAULT 0,
    parked     bigint  NOT NULL DEFAULT 0,
    CONSTRAINT projection_counts_key PRIMARY KEY (projection, version, aggregate, event_type)
);
ALTER TABLE projection_counts SET (fillfactor = 50);

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
CREATE INDEX projection_parked_stream ON projection_parked (projection, version, aggregate, stream_id);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON projection_leases, projection_checkpoints, projection_counts, projection_parked
    TO shiji_service;
