-- One fence for all keys of a change. With one for each key, each renewal of each node read, returned and listed as many rows.
-- Programs of earlier releases still call the functions of f0007. They take a fence of several keys for one around all keys of
-- the workspace, because its key_id is NULL.
ALTER TABLE fence.fences
    -- The keys of the fence. NULL is a fence around all keys of the workspace, or a row of an earlier release.
    ADD COLUMN key_ids uuid[],
    -- A fence around no key would protect nothing.
    ADD CONSTRAINT fences_have_keys CHECK (cardinality(key_ids) > 0);

-- Inserts the fence of a change and notifies the nodes. Without a list of keys, it is around all keys of the workspace. Returns
-- the timeline of the server, and the recorded one.
--
-- The notification names the fence, the workspace and the keys, so that a node can raise the fence and acknowledge it with its
-- next renewal. It has at most 8,000 bytes. Without the names, that renewal is refused, and the one after it acknowledges.
CREATE FUNCTION fence.insert_fence_of_change(fence uuid, workspace uuid, keys uuid[], life_milliseconds bigint)
RETURNS TABLE (system_identifier bigint, timeline bigint, recorded_system_identifier bigint, recorded_timeline bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
#variable_conflict use_column
BEGIN
    PERFORM fence.require_read_committed();
    PERFORM pg_advisory_xact_lock(1718972003, 1);
    INSERT INTO fence.fences (id, workspace_id, key_id, key_ids, inserted_at, expires_at)
    SELECT fence, workspace, CASE WHEN cardinality(keys) = 1 THEN keys[1] END, keys,
        t.at, t.at + life_milliseconds * interval '1 millisecond'
    FROM (SELECT clock_timestamp()) t (at);
    PERFORM pg_notify('fence', CASE
        WHEN cardinality(keys) > 200 THEN ''
        ELSE concat_ws(' ', fence, workspace, array_to_string(keys, ' ')) END);
    RETURN QUERY
        SELECT c.system_identifier, c.timeline, t.system_identifier, t.timeline
        FROM fence.current_timeline() c LEFT JOIN fence.timeline t ON true;
END
$$;

-- Renews a lease as fence.renew does, and returns the keys of each fence that stands.
CREATE FUNCTION fence.renew_lease(node uuid, listed uuid[])
RETURNS TABLE (is_granted boolean, fence_id uuid, workspace_id uuid, key_ids uuid[])
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
        SELECT is_granted, f.id, f.workspace_id,
            coalesce(f.key_ids, CASE WHEN f.key_id IS NOT NULL THEN ARRAY[f.key_id] END)
        FROM (VALUES (1)) one LEFT JOIN fence.fences f ON true;
END
$$;

-- As in f0007, but a fence of several keys is none around the whole workspace.
CREATE OR REPLACE FUNCTION fence.lift_fences(fences uuid[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
    lifted bigint;
    of_workspaces bigint;
BEGIN
    WITH gone AS (DELETE FROM fence.fences f WHERE f.id = ANY (fences) RETURNING f.key_id, f.key_ids)
    SELECT count(*), count(*) FILTER (WHERE g.key_id IS NULL AND g.key_ids IS NULL) INTO lifted, of_workspaces FROM gone g;
    IF of_workspaces > 0 THEN
        PERFORM pg_notify('fence', '');
    END IF;
    RETURN lifted = cardinality(fences);
END
$$;

REVOKE ALL ON FUNCTION fence.insert_fence_of_change(uuid, uuid, uuid[], bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.renew_lease(uuid, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fence.insert_fence_of_change(uuid, uuid, uuid[], bigint) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.renew_lease(uuid, uuid[]) TO {{runtime_role}};
