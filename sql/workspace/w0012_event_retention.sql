-- The retention of events. Nobody can change an event, and nobody can delete one of the last 90 days, the owner
-- included. The runtime role deletes older events with auth.delete_old_events alone.
DROP TRIGGER IF EXISTS key_events_append_only ON auth.key_events;
CREATE TRIGGER key_events_append_only BEFORE UPDATE OR TRUNCATE ON auth.key_events
FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change_of_history();

CREATE OR REPLACE FUNCTION auth.refuse_deletion_of_history() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
    IF OLD.occurred_at > now() - interval '90 days' THEN
        RAISE EXCEPTION 'an event is kept for 90 days' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END
$$;

DROP TRIGGER IF EXISTS key_events_kept ON auth.key_events;
CREATE TRIGGER key_events_kept BEFORE DELETE ON auth.key_events
FOR EACH ROW EXECUTE FUNCTION auth.refuse_deletion_of_history();

-- Deletes the oldest events before an instant, up to a number of rows, and returns how many.
CREATE OR REPLACE FUNCTION auth.delete_old_events(before timestamptz, maximum integer) RETURNS bigint
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog
AS $$
    WITH deleted AS (
        DELETE FROM auth.key_events WHERE id IN (
            SELECT id FROM auth.key_events
            WHERE occurred_at < least(before, now() - interval '90 days')
            ORDER BY id
            LIMIT maximum
        )
        RETURNING id
    )
    SELECT count(*) FROM deleted
$$;

REVOKE ALL ON FUNCTION auth.refuse_deletion_of_history() FROM PUBLIC;
REVOKE ALL ON FUNCTION auth.delete_old_events(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.delete_old_events(timestamptz, integer) TO {{runtime_role}};
