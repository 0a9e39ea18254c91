-- One row per product, on the shelf or off it.
CREATE TABLE products (
    id           bigint      PRIMARY KEY,
    company_id   bigint      NOT NULL,
    position     bigint      NOT NULL, -- of the event that made it
    status       smallint    NOT NULL, -- 1 published, 2 off shelf, 3 recommended
    published_at timestamptz,          -- when it first came on the shelf
    name         text        COLLATE "C" NOT NULL,
    price        text        COLLATE "C" NOT NULL,
    reason       text        COLLATE "C" NOT NULL,
    cover_data   text        COLLATE "C" NOT NULL, -- a JSON list of blocks
    article_data text        COLLATE "C" NOT NULL, -- a JSON list of blocks
    CONSTRAINT products_shelf_time CHECK (status = 2 OR published_at IS NOT NULL)
);
-- What a company's customers see, newest first.
CREATE INDEX products_shelf ON products (company_id, published_at DESC, id DESC) WHERE status <> 2;

-- Apart from products: a row may be there before its product.
CREATE TABLE product_counts (
    product_id    bigint PRIMARY KEY,
    forward_count bigint NOT NULL,
    consult_count bigint NOT NULL
);
-- Room for updates in place: nothing that changes is indexed.
ALTER TABLE product_counts SET (fillfactor = 70);
