-- The timeline of the server on which acknowledgements suffice, because every lease of an earlier one has ended. After
-- a promotion or a restore, the row differs from the server. The first change then waits as long as a lease can last.
CREATE TABLE fence.timeline (
    -- Always true and unique, so the table has at most one row.
    singleton boolean NOT NULL DEFAULT true,
    -- The identifier that a server shares with its standbys.
    system_identifier bigint NOT NULL,
    timeline bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT timeline_singleton PRIMARY KEY (singleton),
    CONSTRAINT timeline_one_row CHECK (singleton),
    CONSTRAINT timeline_positive CHECK (timeline > 0)
);

REVOKE ALL ON fence.timeline FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON fence.timeline TO {{runtime_role}};

-- The timeline of the server that executes this function. pg_control_checkpoint() still shows the old one after a
-- promotion. A standby raises an error.
CREATE FUNCTION fence.current_timeline() RETURNS TABLE (system_identifier bigint, timeline bigint)
LANGUAGE sql VOLATILE SET search_path = pg_catalog AS $$
    SELECT s.system_identifier,
        ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint
    FROM pg_control_system() s
$$;

-- Records the timeline of the server.
CREATE FUNCTION fence.record_timeline() RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog AS $$
    INSERT INTO fence.timeline AS t (system_identifier, timeline)
    SELECT c.system_identifier, c.timeline FROM fence.current_timeline() c
    ON CONFLICT (singleton) DO UPDATE
    SET system_identifier = excluded.system_identifier, timeline = excluded.timeline, recorded_at = now()
    WHERE (t.system_identifier, t.timeline) IS DISTINCT FROM (excluded.system_identifier, excluded.timeline)
$$;

REVOKE ALL ON FUNCTION fence.current_timeline() FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.record_timeline() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fence.current_timeline() TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.record_timeline() TO {{runtime_role}};

-- No lease of an earlier timeline exists when this file runs.
SELECT fence.record_timeline();
