-- One row per staff account, disabled and erased ones, too.
CREATE TABLE staff (
    uid        bigint      PRIMARY KEY,
    position   bigint      NOT NULL, -- of the event that made it
    created_at timestamptz NOT NULL,
    perm       bigint      NOT NULL,
    role       bigint      NOT NULL,
    enabled    boolean     NOT NULL,
    name       text        COLLATE "C" NOT NULL
) WITH (fillfactor = 80);
