-- One row per private message that at least one side still has.
CREATE TABLE messages (
    id        bigint      PRIMARY KEY,
    position  bigint      NOT NULL, -- of the event that made it
    sent_at   timestamptz NOT NULL,
    from_kind text        COLLATE "C" NOT NULL,
    from_id   text        COLLATE "C" NOT NULL,
    to_kind   text        COLLATE "C" NOT NULL,
    to_id     text        COLLATE "C" NOT NULL,
    info_type smallint, -- of the mini-program's chat
    content   text        COLLATE "C" NOT NULL -- empty once its writer is erased
);
CREATE INDEX messages_writer ON messages (from_id, from_kind);

-- Each side's copies. One that is thrown away is gone, so that whoever threw away many does not wade through them.
CREATE TABLE message_copies (
    owner_kind text   COLLATE "C" NOT NULL,
    owner_id   text   COLLATE "C" NOT NULL,
    peer_kind  text   COLLATE "C" NOT NULL,
    peer_id    text   COLLATE "C" NOT NULL,
    position   bigint  NOT NULL, -- of the message
    message_id bigint  NOT NULL,
    incoming   boolean NOT NULL, -- the peer wrote it
    CONSTRAINT message_copies_key PRIMARY KEY (owner_id, owner_kind, peer_id, peer_kind, position)
);
CREATE UNIQUE INDEX message_copies_message ON message_copies (message_id, owner_id, owner_kind);

-- One row per side and peer with at least one copy: the newest.
CREATE TABLE conversations (
    owner_kind text   COLLATE "C" NOT NULL,
    owner_id   text   COLLATE "C" NOT NULL,
    peer_kind  text   COLLATE "C" NOT NULL,
    peer_id    text   COLLATE "C" NOT NULL,
    position   bigint NOT NULL, -- of the message
    message_id bigint NOT NULL,
    CONSTRAINT conversations_key PRIMARY KEY (owner_id, owner_kind, peer_id, peer_kind)
);
CREATE INDEX conversations_newest ON conversations (owner_id, owner_kind, position);

-- Of each side of the mini-program's conversations: how far it has read, and how much it has not. Apart from
-- `conversations`, because reading is told by another stream than the messages.
CREATE TABLE conversation_cursors (
    owner_kind   text   COLLATE "C" NOT NULL,
    owner_id     text   COLLATE "C" NOT NULL,
    peer_kind    text   COLLATE "C" NOT NULL,
    peer_id      text   COLLATE "C" NOT NULL,
    read_through bigint NOT NULL, -- a position; 0: nothing was read yet
    unread_count bigint NOT NULL CHECK (unread_count >= 0), -- of the peer's messages beyond it
    CONSTRAINT conversation_cursors_key PRIMARY KEY (owner_id, owner_kind, peer_id, peer_kind)
);
ALTER TABLE conversation_cursors SET (fillfactor = 80);

-- Whose texts are forgotten, also those of messages that come late.
CREATE TABLE erased_writers (
    kind text COLLATE "C" NOT NULL,
    id   text COLLATE "C" NOT NULL,
    CONSTRAINT erased_writers_key PRIMARY KEY (id, kind)
);
