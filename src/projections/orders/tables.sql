-- What members have in their carts, and what they ordered.

CREATE TABLE cart_items (
    uid        text        COLLATE "C" NOT NULL,
    ticket_id  bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT cart_items_key PRIMARY KEY (uid, ticket_id)
);

CREATE TABLE orders (
    id         bigint      PRIMARY KEY,
    position   bigint      NOT NULL, -- of the event that made it
    uid        text        COLLATE "C" NOT NULL,
    price_fen  bigint      NOT NULL,
    status     smallint    NOT NULL, -- 0 pending, 1 done, 2 cancelled
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX orders_owner ON orders (uid, created_at DESC, id);
-- Those that run out, the oldest first.
CREATE INDEX orders_pending ON orders (created_at, id) WHERE status = 0;

-- What happens to an item happens to its order.
CREATE TABLE order_items (
    order_id  bigint NOT NULL,
    ticket_id bigint NOT NULL,
    price_fen bigint NOT NULL,
    CONSTRAINT order_items_key PRIMARY KEY (order_id, ticket_id)
);
