-- Each function is one statement of its caller, so a node that stops in the middle holds no lock. A function reads in
-- later statements than the one that takes the lock, and such a statement sees what was committed before it began. That
-- needs READ COMMITTED.
CREATE FUNCTION fence.require_read_committed() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'fences need the isolation level READ COMMITTED'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;

-- Renews the lease of a node, which has raised the listed fences. Returns a row for each fence that stands, or one row
-- without a fence. The lease is refused while another fence stands. Grants and insertions of fences exclude each other.
CREATE FUNCTION fence.renew(node uuid, listed uuid[])
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
        UPDATE fence.leases l SET raised = listed, renewed_at = now() WHERE l.node_id = node;
    END IF;
    RETURN QUERY
        SELECT is_granted, f.id, f.workspace_id, f.key_id FROM (VALUES (1)) one LEFT JOIN fence.fences f ON true;
END
$$;

-- Inserts a fence and notifies the nodes.
CREATE FUNCTION fence.insert_fence(fence uuid, workspace uuid, key uuid, life_milliseconds bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
    PERFORM fence.require_read_committed();
    PERFORM pg_advisory_xact_lock(1718972003, 1);
    INSERT INTO fence.fences (id, workspace_id, key_id, inserted_at, expires_at)
    SELECT fence, workspace, key, t.at, t.at + life_milliseconds * interval '1 millisecond'
    FROM (SELECT clock_timestamp()) t (at);
    PERFORM pg_notify('fence', '');
END
$$;

-- True if every listed node has acknowledged a fence.
CREATE FUNCTION fence.is_acknowledged(fence uuid) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog AS $$
    SELECT NOT EXISTS (SELECT FROM fence.leases l WHERE fence <> ALL (l.raised))
$$;

-- Deletes the rows of the nodes that have not acknowledged a fence, if the fence still stands. Call it after the time in
-- which their leases have ended.
CREATE FUNCTION fence.remove_silent_nodes(fence uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
    PERFORM fence.require_read_committed();
    PERFORM pg_advisory_xact_lock(1718972003, 1);
    PERFORM FROM fence.fences f WHERE f.id = fence FOR UPDATE;
    IF FOUND THEN
        DELETE FROM fence.leases l WHERE fence <> ALL (l.raised);
        PERFORM fence.record_timeline();
    END IF;
END
$$;

-- Deletes a fence and notifies the nodes. False if the fence does not stand.
CREATE FUNCTION fence.lift(fence uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
    DELETE FROM fence.fences f WHERE f.id = fence;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM pg_notify('fence', '');
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION fence.require_read_committed() FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.renew(uuid, uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.insert_fence(uuid, uuid, uuid, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.is_acknowledged(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.remove_silent_nodes(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION fence.lift(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fence.require_read_committed() TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.renew(uuid, uuid[]) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.insert_fence(uuid, uuid, uuid, bigint) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.is_acknowledged(uuid) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.remove_silent_nodes(uuid) TO {{runtime_role}};
GRANT EXECUTE ON FUNCTION fence.lift(uuid) TO {{runtime_role}};
