-- One row per diary that is not deleted.
CREATE TABLE diaries (
    id              bigint      PRIMARY KEY,
    case_id         bigint      NOT NULL,
    company_id      bigint      NOT NULL,
    position        bigint      NOT NULL, -- of the event that made it
    created_at      timestamptz NOT NULL,
    diary_date      timestamptz NOT NULL, -- the day it tells of
    status          smallint    NOT NULL, -- 1 published, 2 not published
    cover_show_type smallint    NOT NULL, -- 1 pictures only, 2 video only
    title           text        COLLATE "C" NOT NULL,
    cover_picture   text        COLLATE "C" NOT NULL, -- JSON as it was sent
    content         text        COLLATE "C" NOT NULL  -- JSON as it was sent
);
-- A case's diaries: its last, its first, all of them.
CREATE INDEX diaries_case ON diaries (case_id, diary_date DESC, id DESC) WHERE status = 1;
-- A company's.
CREATE INDEX diaries_company ON diaries (company_id, diary_date DESC, id DESC) WHERE status = 1;

-- How many published ones each case has; no row where there are none. How many a company shows follows from the cases that it
-- shows, of which there are fewer.
CREATE TABLE diary_totals (
    company_id bigint NOT NULL,
    case_id    bigint NOT NULL,
    total      bigint NOT NULL CHECK (total > 0),
    CONSTRAINT diary_totals_key PRIMARY KEY (company_id, case_id)
) WITH (fillfactor = 80);

-- Apart from diaries: a row may be there before its diary, and outlives it.
CREATE TABLE diary_counts (
    diary_id      bigint PRIMARY KEY,
    read_count    bigint NOT NULL,
    comment_count bigint NOT NULL,
    up_count      bigint NOT NULL
);
-- Room for updates in place: nothing that changes is indexed.
ALTER TABLE diary_counts SET (fillfactor = 70);
