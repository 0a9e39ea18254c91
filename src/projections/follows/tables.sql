-- One row per member and whom it follows. Names and pictures stand in `members`, `masters` and `merchants`.
CREATE TABLE follows (
    follower    text        COLLATE "C" NOT NULL, -- uid of a member
    kind        text        COLLATE "C" NOT NULL, -- user, master or merchant
    target      text        COLLATE "C" NOT NULL,
    position    bigint      NOT NULL, -- of the event that made it
    followed_at timestamptz NOT NULL,
    CONSTRAINT follows_key PRIMARY KEY (follower, kind, target)
);
-- Whom a member follows and who follows somebody, the latest first. Of words put together, so that a statement which asks whether
-- one follows another is never planned to go through all whom they follow, or all who do.
CREATE INDEX follows_of ON follows ((kind || ':' || follower), followed_at DESC, target);
CREATE INDEX follows_to ON follows ((kind || ':' || target), followed_at DESC, follower);
