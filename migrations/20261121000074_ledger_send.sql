-- Sends what there is of a statement's answer, without ending it: the server keeps it until the statement's transaction is
-- committed, unless it has something to say in between, which takes along what waits. Appends put it behind their one row,
-- so that the appender knows what comes while the commit is on its way to the disk.
CREATE FUNCTION ledger_send() RETURNS SETOF boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = debug1
AS $$
BEGIN
    RAISE DEBUG 'what came before this is not committed yet';
    RETURN;
END
$$;
GRANT EXECUTE ON FUNCTION ledger_send TO shiji_service;
