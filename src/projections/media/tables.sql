-- One row per file that is stored and not deleted.
CREATE TABLE media (
    id           uuid        PRIMARY KEY,
    position     bigint      NOT NULL, -- of the event that made it
    stored_at    timestamptz NOT NULL,
    size_bytes   bigint      NOT NULL,
    uri          text        COLLATE "C" NOT NULL,
    content_type text        COLLATE "C" NOT NULL,
    sha256       text        COLLATE "C" NOT NULL
);
CREATE INDEX media_uri ON media (uri);
