-- What staff shows to members, each with what members made of it. A row may be there before the thing was made, because
-- somebody's reaction is another stream than the thing: it is not shown until then, and has counted already.

CREATE TABLE banners (
    id         bigint      PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT '-infinity',
    shown      boolean     NOT NULL DEFAULT false,
    placement  text        COLLATE "C" NOT NULL DEFAULT '',
    image      text        COLLATE "C" NOT NULL DEFAULT '',
    url        text        COLLATE "C" NOT NULL DEFAULT '',
    position   integer     NOT NULL DEFAULT 0 -- in the row of its placement
);

CREATE TABLE cloths (
    id             bigint      PRIMARY KEY,
    created_at     timestamptz NOT NULL DEFAULT '-infinity',
    shown          boolean     NOT NULL DEFAULT false,
    collection     text        COLLATE "C" NOT NULL DEFAULT '',
    merchant_id    text        COLLATE "C",
    name           text        COLLATE "C" NOT NULL DEFAULT '',
    image          text        COLLATE "C" NOT NULL DEFAULT '',
    intro          text        COLLATE "C" NOT NULL DEFAULT '',
    price_fen      bigint      NOT NULL DEFAULT 0,
    dynasty        smallint    NOT NULL DEFAULT 0,
    designer_intro text        COLLATE "C" NOT NULL DEFAULT '',
    recommended    boolean     NOT NULL DEFAULT false,
    collect_count  bigint      NOT NULL DEFAULT 0 CHECK (collect_count >= 0)
);
CREATE INDEX cloths_newest ON cloths (collection, created_at DESC, id) WHERE shown;

CREATE TABLE games (
    id            bigint      PRIMARY KEY,
    created_at    timestamptz NOT NULL DEFAULT '-infinity',
    shown         boolean     NOT NULL DEFAULT false,
    name          text        COLLATE "C" NOT NULL DEFAULT '',
    image         text        COLLATE "C" NOT NULL DEFAULT '',
    intro         text        COLLATE "C" NOT NULL DEFAULT '',
    recommended   boolean     NOT NULL DEFAULT false,
    like_count    bigint      NOT NULL DEFAULT 0 CHECK (like_count >= 0),
    collect_count bigint      NOT NULL DEFAULT 0 CHECK (collect_count >= 0),
    comment_count bigint      NOT NULL DEFAULT 0 CHECK (comment_count >= 0)
);
CREATE INDEX games_recommended ON games (created_at DESC, id) WHERE shown AND recommended;
-- Reactions to a game that everybody likes stay in place: nothing they change is indexed.
ALTER TABLE games SET (fillfactor = 70);

CREATE TABLE masters (
    id             text        COLLATE "C" PRIMARY KEY,
    created_at     timestamptz NOT NULL DEFAULT '-infinity',
    shown          boolean     NOT NULL DEFAULT false,
    name           text        COLLATE "C" NOT NULL DEFAULT '',
    avatar         text        COLLATE "C",
    intro          text        COLLATE "C" NOT NULL DEFAULT '',
    address        text        COLLATE "C" NOT NULL DEFAULT '',
    birthday       date,
    recommended    boolean     NOT NULL DEFAULT false,
    uid            text        COLLATE "C", -- the linked member
    follower_count bigint      NOT NULL DEFAULT 0 CHECK (follower_count >= 0)
);
CREATE INDEX masters_newest ON masters (created_at DESC, id) WHERE shown;
ALTER TABLE masters SET (fillfactor = 70);

CREATE TABLE merchants (
    id           text        COLLATE "C" PRIMARY KEY,
    created_at   timestamptz NOT NULL DEFAULT '-infinity',
    shown        boolean     NOT NULL DEFAULT false,
    name         text        COLLATE "C" NOT NULL DEFAULT '',
    logo         text        COLLATE "C",
    intro        text        COLLATE "C" NOT NULL DEFAULT '',
    address      text        COLLATE "C" NOT NULL DEFAULT '',
    phone        text        COLLATE "C",
    email        text        COLLATE "C",
    follow_count bigint      NOT NULL DEFAULT 0 CHECK (follow_count >= 0)
);
ALTER TABLE merchants SET (fillfactor = 70);
