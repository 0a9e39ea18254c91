-- One row per member and whom it follows. Names and pictures stand in `members`, `masters` and `merchants`.
CREATE TABLE follows (
    follower    text        COLLATE "C" NOT NULL, -- uid of a member
    kind        text        COLLATE "C" NOT NULL, -- user, master or merchant
    target      text        COLLATE "C" NOT NULL,
    position    bigint      NOT NULL, -- of the event that made it
    followed_at timestamptz NOT NULL,
    CONSTRAINT follows_key PRIMARY KEY (follower, kind, target)
);
-- Whom a member follows and who follows somebody, the latest first.
CREATE INDEX follows_of ON follows (follower, kind, followed_at DESC, target);
CREATE INDEX follows_to ON follows (target, kind, followed_at DESC, follower);
