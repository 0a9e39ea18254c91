-- Projections that a leader moves stand at one position, and most batches concern few of them. So the position of all is one
-- row, the front, and a checkpoint that names it stands where it stands: a batch moves the front and the checkpoints of
-- those it concerns, instead of every checkpoint of the build.
--
-- A leadership makes its front with its first batch and is the only one to move it. Whoever takes hold of one of its
-- checkpoints (the next leader, a replay, a switch) closes the front, which tells the leader to begin again. Checkpoints are
-- locked before fronts. As with checkpoints, a front is found by the position it stands at.
CREATE TABLE projection_fronts (
    front    uuid    NOT NULL,
    position bigint  NOT NULL,
    closed   boolean NOT NULL DEFAULT false,
    CONSTRAINT projection_fronts_key PRIMARY KEY (front, position)
);

-- Where a checkpoint has a front, its own position is that of the last batch which concerned it.
ALTER TABLE projection_checkpoints ADD COLUMN front uuid;

-- Where the tables stand. A build from before the fronts moves only the checkpoints, so the greater position counts.
CREATE VIEW projection_positions AS
SELECT c.projection, c.version, greatest(f.position, c.position) AS position, c.revision, c.counts
FROM projection_checkpoints c
LEFT JOIN LATERAL (
    SELECT f.position
    FROM projection_fronts f
    WHERE f.front = c.front
    ORDER BY f.position DESC
    LIMIT 1
) f ON true;

GRANT SELECT, INSERT, UPDATE, DELETE ON projection_fronts TO shiji_service;
GRANT SELECT ON projection_positions TO shiji_service;
