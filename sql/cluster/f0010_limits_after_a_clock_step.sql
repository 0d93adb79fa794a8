-- The clock of a server can be set back. The arrival times of all rows lie ahead by that much then, and a limit with a row would be used up
-- for as long. The time of the last report shows it: from a report in the future on, no time has passed, and the backlog is what it was.
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
            SET minute_arrival = at + greatest(a.minute_arrival - greatest(a.reported_at, at), 0) + added_minute[i],
                hour_arrival = at + greatest(a.hour_arrival - greatest(a.reported_at, at), 0) + added_hour[i],
                reported_at = at
            RETURNING a.id, greatest(a.minute_arrival - at, 0), greatest(a.hour_arrival - at, 0);
    END LOOP;
END
$$;
