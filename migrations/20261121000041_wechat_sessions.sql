-- The session key of each customer's last WeChat login, needed to decrypt what WeChat hands to the app. Operational, not
-- events: it is a secret of WeChat's, good until the next login. Sealed under a key derived from the master key.
CREATE TABLE wechat_sessions (
    customer_id bigint      PRIMARY KEY,
    session_key bytea       NOT NULL,
    stored_at   timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON wechat_sessions TO shiji_service;
