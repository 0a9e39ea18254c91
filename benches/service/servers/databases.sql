-- What pgbench needs beside our own migrations and read tables.

-- Positions, counted by the database since nobody else does.
CREATE SEQUENCE bare_position;
ALTER TABLE events ALTER COLUMN position SET DEFAULT nextval('bare_position');

-- Who made the tasks that are listed.
INSERT INTO staff (uid, position, created_at, perm, role, enabled, name)
VALUES (1, 1, now(), 0, 1, true, 'bench');
