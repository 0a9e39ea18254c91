-- Which node does the work that the system does by itself: one row per kind of work, taken and renewed in one statement.
-- Work done twice does no harm, every command is decided again; the lease only spares it. So there is no fence.
CREATE TABLE process_leases (
    process    text        COLLATE "C" NOT NULL,
    holder     uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT process_leases_key PRIMARY KEY (process)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON process_leases TO shiji_service;
