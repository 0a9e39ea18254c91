-- Most batches are told by the front alone: it says what became of the events that the checkpoints of its projections have not
-- counted yet, so that a like, which seven projections look at, moves one row instead of eight. A checkpoint is written when
-- something of its own changes, and before this grows long.
ALTER TABLE projection_fronts ADD COLUMN counts jsonb NOT NULL DEFAULT '{}'; -- by projection, as in its checkpoint

CREATE OR REPLACE VIEW projection_positions AS
SELECT c.projection, c.version, greatest(f.position, c.position) AS position, c.revision, c.counts,
       f.counts -> c.projection AS ahead -- not in counts yet
FROM projection_checkpoints c
LEFT JOIN LATERAL (
    SELECT f.position, f.counts
    FROM projection_fronts f
    WHERE f.front = c.front
    ORDER BY f.position DESC
    LIMIT 1
) f ON true;
