-- Comments share one number space whatever they stand under; so do the messages of both surfaces that have them
-- (contract README 2.3). Sequences made from here on are the service's to use without a grant of their own.
ALTER DEFAULT PRIVILEGES IN SCHEMA ids GRANT USAGE ON SEQUENCES TO shiji_service;
CREATE SEQUENCE ids.comment AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids.message AS bigint MAXVALUE 9007199254740991;
