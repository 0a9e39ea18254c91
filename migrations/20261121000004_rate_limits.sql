-- Limits that must hold across nodes and restarts, as failed logins per name. Operational, not events: nobody decides
-- business by them. A row keeps the latest moments that counted, so that the window slides; keys are keyed hashes.
CREATE TABLE rate_limits (
    key        text          COLLATE "C" PRIMARY KEY,
    hits       timestamptz[] NOT NULL,
    expires_at timestamptz   NOT NULL
);
CREATE INDEX rate_limits_expires_at ON rate_limits (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits TO shiji_service;
