-- One row per customer of the mini-program. What they let the app see is '' until they do, and again once erased.
CREATE TABLE customers (
    id         bigint      PRIMARY KEY,
    position   bigint      NOT NULL, -- of the event that made it
    created_at timestamptz NOT NULL,
    user_type  bigint      NOT NULL, -- 1 official account, 2 mini-program: how they first came
    source     bigint      NOT NULL, -- 1 scan, 2 forward: how they first came
    trial      boolean     NOT NULL,
    enabled    boolean     NOT NULL,
    username   text        COLLATE "C" NOT NULL,
    headimgurl text        COLLATE "C" NOT NULL,
    city       text        COLLATE "C" NOT NULL,
    country    text        COLLATE "C" NOT NULL,
    province   text        COLLATE "C" NOT NULL,
    language   text        COLLATE "C" NOT NULL
);
ALTER TABLE customers SET (fillfactor = 80);

-- To which enterprise users they belong, and who brought them.
CREATE TABLE customer_bindings (
    customer_id bigint      NOT NULL,
    uid         bigint      NOT NULL,
    pid         bigint,
    source      bigint      NOT NULL, -- 1 scan, 2 forward
    user_type   bigint      NOT NULL, -- 1 official account, 2 mini-program
    position    bigint      NOT NULL, -- of the event that made it
    bound_at    timestamptz NOT NULL,
    CONSTRAINT customer_bindings_key PRIMARY KEY (customer_id, uid)
);
-- The customers of an enterprise user, newest first.
CREATE INDEX customer_bindings_uid ON customer_bindings (uid, position DESC);

-- With which template messages may be sent to them.
CREATE TABLE customer_form_ids (
    customer_id bigint      NOT NULL,
    form_id     text        COLLATE "C" NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT customer_form_ids_key PRIMARY KEY (customer_id, form_id)
);
