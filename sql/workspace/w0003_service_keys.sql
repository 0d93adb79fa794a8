-- Keys that belong to the workspace itself. In the control database also the keys of organizations (admin) and of the
-- platform (operator): one model for all of them. A key is an identity with settings; what opens it stands in
-- auth.key_secrets.
CREATE TABLE auth.service_keys (
    id uuid NOT NULL,
    kind text NOT NULL,
    -- The owner of an admin key; NULL for all others, whose owner is the workspace or the platform.
    organization_id uuid,
    name text NOT NULL,
    -- What must not occur twice, or NULL where names may. Whoever creates a key fills it by its own rule; revoking
    -- clears it, which frees the name.
    unique_name text,
    description text,
    mode text NOT NULL,
    scopes text[] NOT NULL,
    -- What the key may do in the management API, as opposed to `scopes`, which is what the tenant's own services ask
    -- for.
    permissions text[] NOT NULL DEFAULT '{}',
    -- NULL allows every namespace, an empty array only the default one.
    allowed_namespaces text[],
    -- Addresses or CIDR ranges; empty allows every address.
    allowed_ips text[] NOT NULL DEFAULT '{}',
    -- NULL is unlimited.
    rate_limit_per_minute integer,
    rate_limit_per_hour integer,
    expires_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',
    disabled_at timestamptz,
    deprecated_at timestamptz,
    deprecation_reason text,
    -- A deprecated key works until then.
    grace_period_ends_at timestamptz,
    -- Set by a deprecation without grace: a state, where a timestamp of now would race with the clocks of other nodes.
    ended_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    revocation_reason text,
    -- The key that came in this one's place, where a dialect rotates by making a new key. No foreign key: it may be
    -- deleted.
    replaced_by uuid,
    -- Text, because an actor is a key, a member, the platform itself or somebody in another system.
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT service_keys_pkey PRIMARY KEY (id),
    CONSTRAINT service_keys_kind_known CHECK (kind IN ('service', 'anon', 'admin', 'operator')),
    CONSTRAINT service_keys_owner_matches_kind CHECK ((kind = 'admin') = (organization_id IS NOT NULL)),
    CONSTRAINT service_keys_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    CONSTRAINT service_keys_mode_known CHECK (mode IN ('live', 'test')),
    CONSTRAINT service_keys_scopes_without_null CHECK (array_position(scopes, NULL) IS NULL),
    CONSTRAINT service_keys_permissions_without_null CHECK (array_position(permissions, NULL) IS NULL),
    CONSTRAINT service_keys_namespaces_without_null CHECK (array_position(allowed_namespaces, NULL) IS NULL),
    CONSTRAINT service_keys_ips_without_null CHECK (array_position(allowed_ips, NULL) IS NULL),
    CONSTRAINT service_keys_rate_limit_per_minute_positive CHECK (rate_limit_per_minute > 0),
    CONSTRAINT service_keys_rate_limit_per_hour_positive CHECK (rate_limit_per_hour > 0),
    CONSTRAINT service_keys_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
);

-- Unique per organization for admin keys and per database for the rest (there organization_id is NULL, which counts as
-- a value here). A violation reports this index's name.
CREATE UNIQUE INDEX service_keys_unique_name ON auth.service_keys (organization_id, unique_name) NULLS NOT DISTINCT
    WHERE unique_name IS NOT NULL;

-- Lists are newest first and continue after a (created_at, id).
CREATE INDEX service_keys_newest ON auth.service_keys (created_at DESC, id DESC);

REVOKE ALL ON auth.service_keys FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.service_keys TO {{runtime_role}};
