-- The events, which are the audit trail: each has the actor, the address, the change, and the key or workspace. An
-- event is written in the transaction of its change. There is no foreign key and no cascade, because events outlive
-- their keys.
CREATE TABLE auth.key_events (
    -- A UUID of version 7, so the primary key is also the order in time.
    id uuid NOT NULL,
    -- The workspace of the event. NULL for an event of the platform or of an organization.
    workspace_id uuid,
    -- The organization of the event, by which the events of an organization are listed. NULL for an event of the
    -- platform.
    organization_id uuid,
    -- NULL for an event of a workspace or of an organization.
    key_id uuid,
    -- The name of the key at the time of the event.
    key_name text,
    type text NOT NULL,
    actor text NOT NULL,
    address text,
    request_id text,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    -- {"member": {"from": …, "to": …}}, without tokens and digests.
    changes jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT key_events_pkey PRIMARY KEY (id),
    CONSTRAINT key_events_changes_object CHECK (jsonb_typeof(changes) = 'object'),
    CONSTRAINT key_events_type_known CHECK (
        type IN (
            'created', 'updated', 'disabled', 'enabled', 'deprecated', 'rotated', 'revoked', 'deleted',
            'workspace.created', 'workspace.updated', 'workspace.suspended', 'workspace.resumed', 'workspace.archived',
            'workspace.deleted', 'organization.created', 'organization.updated', 'cluster.created', 'cluster.updated'
        )
    )
);

-- For the events of a key, newest first.
CREATE INDEX key_events_key_id ON auth.key_events (key_id, id DESC) WHERE key_id IS NOT NULL;

-- The table is append-only for every role. The owner, too, would have to change the schema to change an event.
CREATE FUNCTION auth.refuse_change_of_history() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER key_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON auth.key_events
FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change_of_history();

REVOKE ALL ON FUNCTION auth.refuse_change_of_history() FROM PUBLIC;
REVOKE ALL ON auth.key_events FROM PUBLIC;
GRANT SELECT, INSERT ON auth.key_events TO {{runtime_role}};
