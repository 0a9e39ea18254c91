-- One row per comment that is not deleted, whatever it stands under: articles, games, tickets, diaries, showcases.
CREATE TABLE comments (
    id                      bigint      PRIMARY KEY,
    position                bigint      NOT NULL, -- of the event that made it
    created_at              timestamptz NOT NULL,
    target_kind             text        COLLATE "C" NOT NULL,
    target_id               text        COLLATE "C" NOT NULL,
    author_kind             text        COLLATE "C" NOT NULL,
    author_id               text        COLLATE "C" NOT NULL,
    content                 text        COLLATE "C" NOT NULL,
    -- Of a reply: what it answers and where its thread begins. Both may be deleted.
    reply_id                bigint,
    reply_author_kind       text        COLLATE "C",
    reply_author_id         text        COLLATE "C",
    first_reply_id          bigint,
    first_reply_author_kind text        COLLATE "C",
    first_reply_author_id   text        COLLATE "C"
);
CREATE INDEX comments_target ON comments (target_id, target_kind, created_at DESC, id);

-- Votes on comments, apart from them: a row may be there before its comment, and outlives it.
CREATE TABLE comment_votes (
    comment_id bigint PRIMARY KEY,
    up_count   bigint NOT NULL,
    down_count bigint NOT NULL
);
-- Room for updates in place: nothing that changes is indexed.
ALTER TABLE comment_votes SET (fillfactor = 70);

-- One row per ticket somebody talks about: the newest of its comments.
CREATE TABLE ticket_circle (
    ticket_id    bigint      PRIMARY KEY,
    comment_id   bigint      NOT NULL,
    commented_at timestamptz NOT NULL
);
CREATE INDEX ticket_circle_newest ON ticket_circle (commented_at DESC, ticket_id);
