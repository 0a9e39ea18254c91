-- One row per article that is not deleted.
CREATE TABLE articles (
    id         bigint      PRIMARY KEY,
    position   bigint      NOT NULL, -- of the event that made it
    author     text        COLLATE "C" NOT NULL, -- the uid of a member
    created_at timestamptz NOT NULL,
    content    text        COLLATE "C" NOT NULL,
    images     text[]      COLLATE "C" NOT NULL
);
-- Feeds, newest first. Inserts alone must keep the visibility map fresh, because pages walk these only.
CREATE INDEX articles_feed ON articles (created_at DESC, id);
CREATE INDEX articles_author ON articles (author, created_at DESC, id);
ALTER TABLE articles SET (autovacuum_vacuum_insert_scale_factor = 0.05);

-- What articles were given, apart from them: a like must neither copy a text nor wait for the article's row. A row may be
-- there before its article, and outlives it.
CREATE TABLE article_counts (
    article_id    bigint PRIMARY KEY,
    like_count    bigint NOT NULL,
    collect_count bigint NOT NULL,
    comment_count bigint NOT NULL
);
-- Room for updates in place: nothing that changes is indexed.
ALTER TABLE article_counts SET (fillfactor = 70);
