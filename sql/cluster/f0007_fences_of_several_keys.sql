-- The functions of f0005 for the fences of several keys at once. Programs of earlier releases still call the old ones. A change
-- has one fence for each of its keys, and all of them are inserted, acknowledged and deleted together.

-- Inserts fences and notifies the nodes once. A fence belongs to the key in the same place of the list; without a list of keys, a
-- fence is around all keys of the workspace. Returns the timeline of the server, and the recorded one.
CREATE FUNCTION fence.insert_fences(fences uuid[], workspace uuid, keys uuid[], life_milliseconds bigint)
RETURNS TABLE (system_identifier bigint, timeline bigint, recorded_system_identifier bigint, recorded_timeline bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
#variable_conflict use_column
DECLARE
    begun timestamptz;
BEGIN
    PERFORM fence.require_read_committed();
    PERFORM pg_advisory_xact_lock(1718972003, 1);
    -- One time for all, so that they expire together.
    begun := clock_timestamp();
    INSERT INTO fence.fences (id, workspace_id, key_id, inserted_at, expires_at)
    SELECT f.id, workspace, f.key_id, begun, begun + life_milliseconds * interval '1 millisecond'
    FROM unnest(fences, keys) f (id, key_id);
    PERFORM pg_notify('fence', '');
    RETURN QUERY
        SELECT c.system_identifier, c.timeline, t.system_identifier, t.timeline
        FROM fence.current_timeline() c LEFT JOIN fence.timeline t ON true;
END
$$;

-- True if every listed node has acknowledged all of the fences.
CREATE FUNCTION fence.are_acknowledged(fences uuid[]) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog AS $$
    SELECT NOT EXISTS (SELECT FROM fence.leases l WHERE NOT l.raised @> fences)
$$;

-- Deletes the rows of the nodes that have not acknowledged all of the fences, if all of them still stand. Call it after the time
-- in which the leases of those nodes have ended.
CREATE FUNCTION fence.remove_nodes_silent_to(fences uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
    standing bigint;
BEGIN
    PERFORM fence.require_read_committed();
    PERFORM pg_advisory_xact_lock(1718972003, 1);
    PERFORM FROM fence.fences f WHERE f.id = ANY (fences) FOR UPDATE;
    GET DIAGNOSTICS standing = ROW_COUNT;
    IF standing = cardinality(fences) THEN
        DELETE FROM fence.leases l WHERE NOT l.raised @> fences;
        PERFORM fence.record_timeline();
    END IF;
END
$$;

-- Deletes fences. False if one of them does not stand. A node learns of it with its next renewal, and reads the keys until then.
-- Only the end of a fence around a whole workspace is worth a renewal of every node at once.
CREATE FUNCTION fence.lift_fences(fences uuid[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
    lifted bigint;
    of_workspaces bigint;
BEGIN
    WITH gone AS (DELETE FROM fence.fences f WHERE f.id = ANY (fences) RETURNING f.key_id)
    SELECT count(*), count(*) FILTER (WHERE g.key_id IS NULL) INTO lifted, of_workspaces FROM gone g;
    IF of_workspaces > 0 THEN
        PERFORM pg_notify('fence', '');
    END IF;
    RETURN lifted = cardinality(fences);
END
$$;

-- As in f0005, but a refused renewal that says nothing new writes nothing: it grants nothing, so nothing rests on its commit. A
-- granted one always writes, also the same. Its commit waits for the synchronous standby, so a server that was replaced grants
-- no lease.
CREATE OR REPLACE FUNCTION fence.renew(node uuid, listed uuid[])
RETURNS TABLE (is_granted boolean, fence_id uuid, workspace_id uuid, key_id uuid)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
    PERFORM fence.require_read_committed();
    PERFORM pg_advisory_xact_lock_shared(1718972003, 1);
    DELETE FROM fence.fences f WHERE f.id IN (
        SELECT e.id FROM fence.fences e WHERE e.expires_at < clock_timestamp() FOR UPDATE SKIP LOCKED);
    is_granted := NOT EXISTS (SELECT FROM fence.fences f WHERE f.id <> ALL (listed));
    IF is_granted THEN
        INSERT INTO fence.leases (node_id, raised) VALUES (node, listed)
        ON CONFLICT ON CONSTRAINT leases_pkey DO UPDATE SET raised = excluded.raised, renewed_at = now();
    ELSE
        UPDATE fence.leases l SET raised = listed, renewed_at = now() WHERE l.node_id = node AND l.raised <> listed;
    END IF;
    RETURN QUERY
        SELECT is_granted, f.id, f.workspace_id, f.key_id FROM (VALUES (1)) one LEFT JOIN fence.fences f ON true;
END
$$;

REVOKE ALL ON FUNCTION fence.insert_fences(uuid[], uuid, uuid[], bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.are_acknowledged(uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.remove_nodes_silent_to(uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.lift_fences(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fence.insert_fences(uuid[], uuid, uuid[], bigint) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.are_acknowledged(uuid[]) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.remove_nodes_silent_to(uuid[]) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.lift_fences(uuid[]) TO {{runtime_role}};
