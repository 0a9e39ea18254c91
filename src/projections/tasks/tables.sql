-- One row per task that is not deleted.
CREATE TABLE tasks (
    id         bigint      PRIMARY KEY,
    position   bigint      NOT NULL, -- of the event that made it
    created_by bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    status     smallint    NOT NULL,
    priority   smallint    NOT NULL,
    kind       text        COLLATE "C" NOT NULL,
    note       text        COLLATE "C" NOT NULL,
    input      text        COLLATE "C" NOT NULL,
    result     text        COLLATE "C" NOT NULL
);
-- Room for updates in place: nothing that changes is indexed. Inserts alone must keep the visibility map fresh, because
-- deep pages walk the primary key only.
ALTER TABLE tasks SET (fillfactor = 90, autovacuum_vacuum_insert_scale_factor = 0.05);

-- One row: how many there are. It is found through its position, which only grows, so that the versions an old snapshot
-- keeps alive lie behind it and not in front of it.
CREATE TABLE tasks_total (
    total    bigint NOT NULL,
    position bigint NOT NULL -- of the last event that changed it
);
CREATE INDEX tasks_total_position ON tasks_total (position);
INSERT INTO tasks_total (total, position) VALUES (0, 0);
