-- The clock of a server can be set back. The arrival times of all rows lie ahead by that much then, and a limit with a row would be used up
-- for as long. The time of the last report shows it: if that is more than a second in the future, no time has passed since it, and the
-- backlog is what it was. A report that waited for the row of another one can be a little older than that one.
ALTER TABLE limits.arrivals
    -- The time of the last report, in nanoseconds since 1970 by the server's clock. 0 for a row of an earlier release.
    ADD COLUMN reported_at bigint NOT NULL DEFAULT 0;

-- As before, with the rule above. Nodes of earlier releases call it, too.
CREATE OR REPLACE FUNCTION limits.exchange(
    ids uuid[], added_minute bigint[], added_hour bigint[], known_minute bigint[], known_hour bigint[]
) RETURNS TABLE (id uuid, minute_backlog bigint, hour_backlog bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
#variable_conflict use_column
DECLARE
    at bigint;
BEGIN
    FOR i IN 1..cardinality(ids) LOOP
        at := (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint;
        RETURN QUERY
            INSERT INTO limits.arrivals AS a (id, minute_arrival, hour_arrival, reported_at)
            VALUES (ids[i], at + known_minute[i] + added_minute[i], at + known_hour[i] + added_hour[i], at)
            ON CONFLICT ON CONSTRAINT arrivals_pkey DO UPDATE
            SET minute_arrival = added_minute[i] + CASE WHEN a.reported_at > at + 1000000000
                    THEN at + greatest(a.minute_arrival - a.reported_at, 0) ELSE greatest(a.minute_arrival, at) END,
                hour_arrival = added_hour[i] + CASE WHEN a.reported_at > at + 1000000000
                    THEN at + greatest(a.hour_arrival - a.reported_at, 0) ELSE greatest(a.hour_arrival, at) END,
                reported_at = CASE WHEN a.reported_at > at + 1000000000 THEN at ELSE greatest(a.reported_at, at) END
            RETURNING a.id, greatest(a.minute_arrival - at, 0), greatest(a.hour_arrival - at, 0);
    END LOOP;
END
$$;
