-- One row per member of the community, disabled and erased ones, too.
CREATE TABLE members (
    uid             text        COLLATE "C" PRIMARY KEY,
    position        bigint      NOT NULL, -- of the event that made it
    created_at      timestamptz NOT NULL,
    birthday_ms     bigint,
    category        bigint      NOT NULL,
    score           bigint      NOT NULL,
    level           bigint      NOT NULL,
    exp             bigint      NOT NULL,
    gender          smallint    NOT NULL, -- 0 unknown, 1 male, 2 female
    enabled         boolean     NOT NULL,
    nickname        text        COLLATE "C" NOT NULL,
    country         text        COLLATE "C" NOT NULL,
    phone           text        COLLATE "C" NOT NULL,
    avatar          text        COLLATE "C",
    province        text        COLLATE "C",
    city            text        COLLATE "C",
    email           text        COLLATE "C",
    intro           text        COLLATE "C",
    invitation_code text        COLLATE "C",
    inviter         text        COLLATE "C"
) WITH (fillfactor = 80);

-- Apart from the members: others move these, perhaps before the member is there.
CREATE TABLE member_counts (
    uid            text   COLLATE "C" PRIMARY KEY,
    follow_count   bigint NOT NULL DEFAULT 0 CHECK (follow_count >= 0),   -- members it follows
    follower_count bigint NOT NULL DEFAULT 0 CHECK (follower_count >= 0), -- members that follow it
    article_count  bigint NOT NULL DEFAULT 0 CHECK (article_count >= 0)   -- its articles that are not deleted
) WITH (fillfactor = 80);
