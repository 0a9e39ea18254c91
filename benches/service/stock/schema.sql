-- As in `db/init.sql` of postgres-es 0.5.
CREATE TABLE events (
    aggregate_type text                         NOT NULL,
    aggregate_id   text                         NOT NULL,
    sequence       bigint CHECK (sequence >= 0) NOT NULL,
    event_type     text                         NOT NULL,
    event_version  text                         NOT NULL,
    payload        json                         NOT NULL,
    metadata       json                         NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);

CREATE TABLE task_view (
    view_id text                        NOT NULL,
    version bigint CHECK (version >= 0) NOT NULL,
    payload json                        NOT NULL,
    PRIMARY KEY (view_id)
);

CREATE TABLE like_count_view (
    view_id text                        NOT NULL,
    version bigint CHECK (version >= 0) NOT NULL,
    payload json                        NOT NULL,
    PRIMARY KEY (view_id)
);

CREATE TABLE order_view (
    view_id text                        NOT NULL,
    version bigint CHECK (version >= 0) NOT NULL,
    payload json                        NOT NULL,
    PRIMARY KEY (view_id)
);

CREATE TABLE ticket_view (
    view_id text                        NOT NULL,
    version bigint CHECK (version >= 0) NOT NULL,
    payload json                        NOT NULL,
    PRIMARY KEY (view_id)
);

CREATE SEQUENCE task_id;
CREATE SEQUENCE order_id;

CREATE TABLE staff (
    uid           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    password_hash text NOT NULL
);

CREATE TABLE sessions (
    token      text PRIMARY KEY,
    uid        bigint      NOT NULL REFERENCES staff,
    expires_at timestamptz NOT NULL
);

CREATE TABLE members (
    uid text PRIMARY KEY
);

CREATE TABLE member_sessions (
    token      text PRIMARY KEY,
    uid        text        NOT NULL REFERENCES members,
    expires_at timestamptz NOT NULL
);
