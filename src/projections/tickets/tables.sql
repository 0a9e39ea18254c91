-- Projects of masters, and their tickets.

-- A row may be there before the project was made, because a ticket is another stream: it is not shown until then.
CREATE TABLE projects (
    id           bigint      PRIMARY KEY,
    created_at   timestamptz NOT NULL DEFAULT '-infinity',
    shown        boolean     NOT NULL DEFAULT false,
    master_id    text        COLLATE "C" NOT NULL DEFAULT '',
    name         text        COLLATE "C" NOT NULL DEFAULT '',
    image        text        COLLATE "C" NOT NULL DEFAULT '',
    intro        text        COLLATE "C" NOT NULL DEFAULT '',
    recommended  boolean     NOT NULL DEFAULT false,
    ticket_count bigint      NOT NULL DEFAULT 0 CHECK (ticket_count >= 0) -- for sale now
);
CREATE INDEX projects_newest ON projects (created_at DESC, id) WHERE shown;
CREATE INDEX projects_master ON projects (master_id, created_at DESC, id) WHERE shown;
-- Orders move the number of tickets and nothing that is indexed.
ALTER TABLE projects SET (fillfactor = 70);

CREATE TABLE tickets (
    id         bigint      PRIMARY KEY,
    position   bigint      NOT NULL, -- of the event that made it
    project_id bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state      smallint    NOT NULL, -- 0 for sale, 1 reserved, 2 sold, 3 withdrawn
    price_fen  bigint      NOT NULL,
    name       text        COLLATE "C" NOT NULL,
    image      text        COLLATE "C" NOT NULL,
    intro      text        COLLATE "C" NOT NULL,
    order_id   bigint,               -- that holds it, or that it was sold by
    owner      text        COLLATE "C", -- the uid of whom it was sold to
    sold_at    timestamptz
);
CREATE INDEX tickets_for_sale ON tickets (created_at DESC, id) WHERE state = 0;
CREATE INDEX tickets_for_sale_of_project ON tickets (project_id, created_at DESC, id) WHERE state = 0;
CREATE INDEX tickets_owner ON tickets (owner, sold_at DESC, id) WHERE state = 2;
