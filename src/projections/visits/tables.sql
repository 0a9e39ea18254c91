-- The radar's activity log: one row for everything a customer of the mini-program did that is only counted and logged.
CREATE TABLE visits (
    position    bigint      PRIMARY KEY, -- of the event
    at          timestamptz NOT NULL,
    customer_id bigint      NOT NULL,
    uid         bigint,                  -- the enterprise user whose pages they were, if somebody's
    company_id  bigint,                  -- the company whose library it was, if it was one's
    action      text        COLLATE "C" NOT NULL, -- the event's name
    target_kind text        COLLATE "C" NOT NULL,
    target_id   bigint      NOT NULL
);
-- What somebody did of one kind, newest first: the browsing history of a company's cases.
CREATE INDEX visits_customer ON visits (customer_id, action, company_id, position DESC);
-- What an enterprise user's radar shows, newest first.
CREATE INDEX visits_uid ON visits (uid, position DESC) WHERE uid IS NOT NULL;
