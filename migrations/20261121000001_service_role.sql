-- The role that every service connection acts as. It is a group without login: the owner, who logs in, becomes it at
-- connect (`-c role=shiji_service`) and can from then on do only what the later migrations grant: select and execute the
-- append, but neither update nor delete events.
--
-- Roles belong to the whole server, so another database of it may have made the role already, or be making it now.
DO $$
DECLARE
    -- From version 16 on a member may be allowed to inherit but not to become the role.
    needed CONSTANT text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shiji_service') THEN
        BEGIN
            CREATE ROLE shiji_service NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role shiji_service is missing and % may not create roles: let an administrator run "CREATE ROLE shiji_service NOLOGIN; GRANT shiji_service TO %"',
                    current_user, quote_ident(current_user)
                    USING ERRCODE = 'insufficient_privilege';
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'shiji_service', needed) THEN
        BEGIN
            EXECUTE format('GRANT shiji_service TO %I', current_user);
        EXCEPTION
            -- "tuple concurrently updated": another database of this server granted the same at this moment.
            WHEN internal_error OR unique_violation THEN
                IF NOT pg_has_role(current_user, 'shiji_service', needed) THEN
                    RAISE;
                END IF;
        END;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO shiji_service', current_database());
END
$$;

GRANT USAGE ON SCHEMA public TO shiji_service;
