-- One row per company of the mini-program.
CREATE TABLE companies (
    id         bigint      PRIMARY KEY,
    position   bigint      NOT NULL, -- of the event that made it
    created_at timestamptz NOT NULL,
    name       text        COLLATE "C" NOT NULL
);
