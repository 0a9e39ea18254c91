-- One row per session that nobody closed; it may have expired.
CREATE TABLE sessions (
    token_hash text        COLLATE "C" PRIMARY KEY,
    account    text        COLLATE "C" NOT NULL,
    opened_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    position   bigint      NOT NULL -- of the event that made it
);
CREATE INDEX sessions_account ON sessions (account, expires_at);
