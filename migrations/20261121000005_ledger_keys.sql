-- The keys of whom a row is about, as every reader of events and snapshots selects them: written once. PostgreSQL puts the
-- body in the place of the call (a set-returning function with one plain SELECT), so the plans are those of the written-out
-- columns. CASE, not WHERE: nothing is looked up for rows that are about nobody.
CREATE FUNCTION ledger_keys(subjects text[]) RETURNS TABLE (wrapped bytea[], erased boolean[])
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN subjects IS NOT NULL THEN ARRAY(
               SELECT k.wrapped_key FROM unnest(subjects) WITH ORDINALITY s(subject, n)
               LEFT JOIN subject_keys k USING (subject) ORDER BY s.n) END,
           CASE WHEN subjects IS NOT NULL THEN ARRAY(
               SELECT k.erased_position IS NOT NULL FROM unnest(subjects) WITH ORDINALITY s(subject, n)
               LEFT JOIN subject_keys k USING (subject) ORDER BY s.n) END
$$;

REVOKE ALL ON FUNCTION ledger_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_keys TO shiji_service;
