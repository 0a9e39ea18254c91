-- One row per business card. What is not set is ''; a person's data is '' once erased.
CREATE TABLE cards (
    uid             bigint      PRIMARY KEY, -- of the enterprise user
    company_id      bigint      NOT NULL,
    position        bigint      NOT NULL,    -- of the event that made it
    changed         bigint      NOT NULL,    -- of the last event that changed what it shows
    created_at      timestamptz NOT NULL,
    enabled         boolean     NOT NULL,
    username        text        COLLATE "C" NOT NULL,
    avatar          text        COLLATE "C" NOT NULL,
    mingpian_avatar text        COLLATE "C" NOT NULL,
    address         text        COLLATE "C" NOT NULL,
    job             text        COLLATE "C" NOT NULL, -- `position` on the wire
    email           text        COLLATE "C" NOT NULL,
    wechat          text        COLLATE "C" NOT NULL,
    mingpian_phone  text        COLLATE "C" NOT NULL,
    sign            text        COLLATE "C" NOT NULL,
    qr_code_url     text        COLLATE "C" NOT NULL,
    poster_url      text        COLLATE "C" NOT NULL
);
CREATE INDEX cards_company ON cards (company_id, uid);

-- What visitors make of a card. Apart from it, because their streams need not wait for the card's, and because it moves with
-- every view.
CREATE TABLE card_counts (
    uid            bigint PRIMARY KEY,
    popularity_num bigint NOT NULL DEFAULT 0 CHECK (popularity_num >= 0), -- views
    praise_num     bigint NOT NULL DEFAULT 0 CHECK (praise_num >= 0),
    forward_num    bigint NOT NULL DEFAULT 0 CHECK (forward_num >= 0),
    sign_num       bigint NOT NULL DEFAULT 0 CHECK (sign_num >= 0)        -- likes of the signature
);
ALTER TABLE card_counts SET (fillfactor = 50);

CREATE TABLE card_photos (
    uid       bigint NOT NULL,
    photo_id  bigint NOT NULL,
    photo_url text   COLLATE "C" NOT NULL,
    CONSTRAINT card_photos_key PRIMARY KEY (uid, photo_id)
);
