-- One row per customer case, withdrawn ones, too, and one per id that was only looked at, liked or commented on so far: what
-- is counted may come before the case itself. The author's name stands in `authors`.
CREATE TABLE showcases (
    id               text     COLLATE "C" PRIMARY KEY,
    user_id          text     COLLATE "C" NOT NULL, -- its author, without the realm
    position         bigint   NOT NULL,             -- of the event that published it; 0 before
    update_time      bigint   NOT NULL,             -- last published, edited or scored; milliseconds since the epoch
    view_cnt         bigint   NOT NULL CHECK (view_cnt >= 0),
    like_cnt         bigint   NOT NULL CHECK (like_cnt >= 0),
    comment_cnt      bigint   NOT NULL CHECK (comment_cnt >= 0),
    score_hundredths smallint NOT NULL,
    industry_type    smallint NOT NULL,
    shown            boolean  NOT NULL              -- published and not withdrawn
) WITH (fillfactor = 80);
-- The list in its only order. No counter is indexed: counting updates rows in place.
CREATE INDEX showcases_list ON showcases (update_time DESC, id) INCLUDE (industry_type) WHERE shown;

-- How many are shown, by industry; no row where none is. The list tells it with every page.
CREATE TABLE showcase_totals (
    industry_type smallint PRIMARY KEY,
    total         bigint   NOT NULL CHECK (total > 0)
) WITH (fillfactor = 50);

CREATE TABLE showcase_files (
    task_id      text   COLLATE "C" NOT NULL,
    file_id      text   COLLATE "C" NOT NULL,
    user_id      text   COLLATE "C" NOT NULL, -- who supplied it, without the realm
    create_time  bigint NOT NULL,             -- milliseconds since the epoch; a file never changes
    position     bigint NOT NULL,             -- of the event that added it
    size_bytes   bigint NOT NULL,
    width        bigint NOT NULL,             -- pixels; 0 when it is no picture
    height       bigint NOT NULL,
    name         text   COLLATE "C" NOT NULL,
    mime_type    text   COLLATE "C" NOT NULL,
    path         text   COLLATE "C" NOT NULL,
    preview_path text   COLLATE "C" NOT NULL, -- '' without a preview
    CONSTRAINT showcase_files_key PRIMARY KEY (task_id, file_id)
);
