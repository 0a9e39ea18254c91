-- One row per tag that is not deleted.
CREATE TABLE tags (
    id         bigint PRIMARY KEY,
    company_id bigint NOT NULL,
    position   bigint NOT NULL, -- of the event that made it
    name       text   COLLATE "C" NOT NULL,
    folded     text   COLLATE "C" NOT NULL -- the name without letter case
);
CREATE INDEX tags_company ON tags (company_id, id);

-- How often cases were looked up by a tag. Apart from tags: a row may be there before its tag, and outlives it.
CREATE TABLE tag_counts (
    tag_id       bigint PRIMARY KEY,
    search_count bigint NOT NULL,
    position     bigint NOT NULL -- of the last search
);
-- Room for updates in place: nothing that changes is indexed.
ALTER TABLE tag_counts SET (fillfactor = 70);

-- Who looked cases up by which tags.
CREATE TABLE tag_searches (
    customer_id bigint NOT NULL,
    tag_id      bigint NOT NULL,
    position    bigint NOT NULL, -- of the last search
    CONSTRAINT tag_searches_key PRIMARY KEY (customer_id, tag_id)
);
