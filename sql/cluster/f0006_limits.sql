-- The use of rate limits, which the nodes of a cluster share. It is not logged: a crash or a failover loses what no node
-- knows, and each node's next report says what it knows.
CREATE SCHEMA limits;

CREATE UNLOGGED TABLE limits.arrivals (
    -- A key, or what guesses are counted for.
    id uuid NOT NULL,
    -- The theoretical arrival times of the two limits (ITU-T I.371), in nanoseconds since 1970 by the server's clock.
    minute_arrival bigint NOT NULL,
    hour_arrival bigint NOT NULL,
    CONSTRAINT arrivals_pkey PRIMARY KEY (id)
);

-- Adds the uses that a node reports, and returns the backlog of all nodes in nanoseconds. The ids must be in ascending
-- order, so that two nodes never wait for each other. Without a row, the node's own knowledge counts.
CREATE FUNCTION limits.exchange(
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
            INSERT INTO limits.arrivals AS a (id, minute_arrival, hour_arrival)
            VALUES (ids[i], at + known_minute[i] + added_minute[i], at + known_hour[i] + added_hour[i])
            ON CONFLICT ON CONSTRAINT arrivals_pkey DO UPDATE
            SET minute_arrival = greatest(a.minute_arrival, at) + added_minute[i],
                hour_arrival = greatest(a.hour_arrival, at) + added_hour[i]
            RETURNING a.id, greatest(a.minute_arrival - at, 0), greatest(a.hour_arrival - at, 0);
    END LOOP;
END
$$;

-- Deletes the rows whose limits are replenished.
CREATE FUNCTION limits.delete_replenished() RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog AS $$
    DELETE FROM limits.arrivals a WHERE a.id IN (
        SELECT o.id FROM limits.arrivals o, (SELECT (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint) t (at)
        WHERE o.minute_arrival < t.at AND o.hour_arrival < t.at FOR UPDATE OF o SKIP LOCKED)
$$;

REVOKE ALL ON SCHEMA limits FROM PUBLIC;
GRANT USAGE ON SCHEMA limits TO {{runtime_role}};
REVOKE ALL ON limits.arrivals FROM PUBLIC;
-- UPDATE is also for SELECT … FOR UPDATE, which keeps a row that is in use from being deleted.
GRANT SELECT, INSERT, UPDATE, DELETE ON limits.arrivals TO {{runtime_role}};
REVOKE ALL ON FUNCTION limits.exchange(uuid[], bigint[], bigint[], bigint[], bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION limits.delete_replenished() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION limits.exchange(uuid[], bigint[], bigint[], bigint[], bigint[]) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION limits.delete_replenished() TO {{runtime_role}};
