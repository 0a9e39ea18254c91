-- One row per company whose website shows, or once showed, anything.
CREATE TABLE websites (
    company_id      bigint PRIMARY KEY,
    cover_picture   text[] COLLATE "C" NOT NULL,
    content_picture text[] COLLATE "C" NOT NULL
);
