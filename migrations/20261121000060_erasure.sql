-- Forgetting a person is one act: with the event that says so, in its transaction, the data key goes. There is no moment at
-- which the log says "erased" and a key is still there, and no way to lose the key without the event. The service's role
-- can neither update nor delete keys; it can only append the event.
CREATE FUNCTION ledger_forget() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO subject_keys AS k (subject, erased_position)
    VALUES (NEW.aggregate_type || ':' || NEW.aggregate_id, NEW.position)
    ON CONFLICT (subject) DO UPDATE
        SET wrapped_key = NULL, erased_position = coalesce(k.erased_position, EXCLUDED.erased_position);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION ledger_forget FROM PUBLIC;

-- The condition stands here and not in the function: other events are not even queued for it.
CREATE TRIGGER events_forget
    AFTER INSERT ON events
    FOR EACH ROW
    WHEN (NEW.event_type = 'PersonErased')
    EXECUTE FUNCTION ledger_forget();
