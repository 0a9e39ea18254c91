-- One row per reaction that stands: likes, collections, praise, signs and votes of all surfaces.
CREATE TABLE reactions (
    actor_kind  text        COLLATE "C" NOT NULL,
    actor_id    text        COLLATE "C" NOT NULL,
    kind        text        COLLATE "C" NOT NULL,
    target_kind text        COLLATE "C" NOT NULL,
    target_id   text        COLLATE "C" NOT NULL,
    value       text        COLLATE "C", -- of a vote: up or down
    position    bigint      NOT NULL,    -- of the event that made it stand
    reacted_at  timestamptz NOT NULL,
    CONSTRAINT reactions_key PRIMARY KEY (actor_id, actor_kind, kind, target_kind, target_id)
);
-- Of one reaction the key is the only index that knows. The others are of words put together, so that a statement which asks
-- whether somebody likes something is never planned to go through everybody who does, or through all that they like, least of all
-- while the table is empty and everything looks as cheap.
-- Who reacted to something, newest first.
CREATE INDEX reactions_target ON reactions ((kind || ':' || target_kind || ':' || target_id), position);
-- What somebody collected, newest first. LIKE says the same as = but only to those who say LIKE.
CREATE INDEX reactions_collected ON reactions ((actor_kind || ':' || actor_id || ':' || target_kind), position)
    WHERE kind LIKE 'collect';
