-- Companies, cards and customers of the mini-program have number spaces of their own (contract README 2.3).
CREATE SEQUENCE ids.company AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids.card AS bigint MAXVALUE 9007199254740991;
CREATE SEQUENCE ids.customer AS bigint MAXVALUE 9007199254740991;
