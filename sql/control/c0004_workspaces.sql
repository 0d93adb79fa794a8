-- Every workspace ref that was ever assigned. Tokens contain the ref, and nodes cache its workspace forever. So a ref
-- is never assigned again, also after its workspace was deleted.
CREATE TABLE control.workspace_refs (
    ref text NOT NULL,
    CONSTRAINT workspace_refs_pkey PRIMARY KEY (ref),
    -- Eight zeros are the ref of the control database.
    CONSTRAINT workspace_refs_form CHECK (ref ~ '^[0-9A-Za-z]{8}$' AND ref <> '00000000')
);

-- The workspaces, which are the tenants. Each has one database.
CREATE TABLE control.workspaces (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    ref text NOT NULL,
    slug text NOT NULL,
    name text,
    cluster_id uuid NOT NULL,
    database text NOT NULL,
    state text NOT NULL,
    -- A change of state that has not reached the workspace's database yet. Every node that finds it can complete it.
    target_state text,
    -- The event of the creation or of the last change of state. It is copied into the workspace's database with the
    -- change.
    state_event_id uuid NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    -- The time for which the tenant's own services keep their data. Mortise stores and shows it, and does not act on
    -- it.
    data_retention jsonb NOT NULL DEFAULT '{"unit": "days", "value": 7}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz,
    CONSTRAINT workspaces_pkey PRIMARY KEY (id),
    CONSTRAINT workspaces_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES control.organizations (id),
    CONSTRAINT workspaces_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES control.clusters (id),
    CONSTRAINT workspaces_ref_fkey FOREIGN KEY (ref) REFERENCES control.workspace_refs (ref),
    CONSTRAINT workspaces_ref_key UNIQUE (ref),
    CONSTRAINT workspaces_slug_key UNIQUE (organization_id, slug),
    CONSTRAINT workspaces_database_key UNIQUE (database),
    -- A text with the form of an id is taken as an id, so a slug must not have that form.
    CONSTRAINT workspaces_slug_form CHECK (
        slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
        AND slug !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
    ),
    CONSTRAINT workspaces_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    -- The maximum length of a name that PostgreSQL does not truncate (NAMEDATALEN - 1).
    CONSTRAINT workspaces_database_length CHECK (octet_length(database) BETWEEN 1 AND 63),
    CONSTRAINT workspaces_state_known CHECK (state IN ('creating', 'active', 'suspended', 'archived', 'deleting')),
    CONSTRAINT workspaces_target_state_known CHECK (target_state IN ('active', 'suspended', 'archived')),
    CONSTRAINT workspaces_archived_at_matches_state CHECK (state <> 'archived' OR archived_at IS NOT NULL),
    CONSTRAINT workspaces_default_stays CHECK (
        NOT is_default OR (state NOT IN ('archived', 'deleting') AND target_state IS DISTINCT FROM 'archived')
    ),
    CONSTRAINT workspaces_data_retention_object CHECK (jsonb_typeof(data_retention) = 'object')
);

-- An organization has at most one default workspace. This index finds it: no other table stores which workspace it is.
CREATE UNIQUE INDEX workspaces_one_default ON control.workspaces (organization_id) WHERE is_default;
CREATE INDEX workspaces_newest ON control.workspaces (created_at DESC, id DESC);
CREATE INDEX workspaces_newest_of_organization ON control.workspaces (organization_id, created_at DESC, id DESC);
-- The workspaces whose creation, change of state or deletion is not complete. The index is nearly always empty.
CREATE INDEX workspaces_unsettled ON control.workspaces (id)
    WHERE target_state IS NOT NULL OR state IN ('creating', 'deleting');

REVOKE ALL ON control.workspace_refs, control.workspaces FROM PUBLIC;
GRANT SELECT, INSERT ON control.workspace_refs TO {{runtime_role}};
GRANT SELECT, INSERT ON control.workspaces TO {{runtime_role}};
-- Only the provisioner changes the state. It connects as the owner.
GRANT UPDATE (slug, name, data_retention, updated_at) ON control.workspaces TO {{runtime_role}};
