-- One row per case that anything was heard of. Its diaries move `updated_at`, and may be heard of before the case and after
-- its end: all but that time is absent until the case is heard of, and a deleted case leaves its row behind.
CREATE TABLE cases (
    id            bigint PRIMARY KEY,
    updated_at    timestamptz, -- last edit, tagging or publication of the case or of one of its diaries
    position      bigint,      -- of the event that made it
    company_id    bigint,
    created_at    timestamptz,
    status        smallint,    -- 1 published, 2 not published, 3 deleted
    customer_name text COLLATE "C",
    headimgurl    text COLLATE "C",
    cover_picture text COLLATE "C", -- JSON as it was sent
    CONSTRAINT cases_whole CHECK (
        num_nulls(updated_at, position, company_id, created_at, customer_name, headimgurl, cover_picture) = 0
        OR status IS NULL
    )
);
-- A company's library, last changed first.
CREATE INDEX cases_library ON cases (company_id, updated_at DESC, id DESC) WHERE status = 1;

-- The tags that cases carry.
CREATE TABLE case_tags (
    case_id bigint NOT NULL,
    tag_id  bigint NOT NULL,
    CONSTRAINT case_tags_key PRIMARY KEY (case_id, tag_id)
);
CREATE INDEX case_tags_tag ON case_tags (tag_id, case_id);
