-- The audit trail: who did what, from where, to which key or workspace. Written in the transaction of the change
-- itself. No foreign key and no cascade: history outlives what it is about.
CREATE TABLE auth.key_events (
    -- Version 7, so the primary key is also the order in time, forwards and backwards.
    id uuid NOT NULL,
    -- The workspace it is about; NULL for what happened to the platform or to an organization.
    workspace_id uuid,
    -- The organization it is about, so that an organization's own history can be listed. NULL for what is the
    -- platform's.
    organization_id uuid,
    -- NULL for events of a workspace or an organization.
    key_id uuid,
    -- The name at that time.
    key_name text,
    type text NOT NULL,
    actor text NOT NULL,
    address text,
    request_id text,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    -- {"member": {"from": …, "to": …}}; never a token or a digest.
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

-- The events of one key, newest first.
CREATE INDEX key_events_key_id ON auth.key_events (key_id, id DESC) WHERE key_id IS NOT NULL;

-- Append-only for everybody, the owner included, who would have to change the schema to lie.
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
