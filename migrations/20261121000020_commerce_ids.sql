-- One number space for each kind of thing in the catalogue that is numbered, for tickets and for orders (contract README
-- 2.3). Masters and merchants have random ids.
CREATE SEQUENCE ids.banner  AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids.cloth   AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids.game    AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids.project AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids.ticket  AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids."order" AS bigint MAXVALUE 9007199254740991;
