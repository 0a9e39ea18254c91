-- Articles of the community have numbers of their own (contract README 2.3).
CREATE SEQUENCE ids.article AS bigint MAXVALUE 9007199254740991;
