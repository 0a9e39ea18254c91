-- One row per account of an author, disabled and erased ones, too.
CREATE TABLE authors (
    id         text        COLLATE "C" PRIMARY KEY, -- without the realm
    name       text        COLLATE "C" NOT NULL,    -- '' once erased
    enabled    boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    position   bigint      NOT NULL                 -- of the event that made it
) WITH (fillfactor = 80);
