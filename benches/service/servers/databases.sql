-- What pgbench needs beside our own migrations: positions counted by the database, since nobody else does.
CREATE SEQUENCE bare_position;
ALTER TABLE events ALTER COLUMN position SET DEFAULT nextval('bare_position');

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
