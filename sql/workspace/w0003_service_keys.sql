-- The keys of the workspace itself. In the control database also the admin keys of organizations and the operator keys
-- of the platform: all keys have one model. A key is an identity with settings. Its secrets are in auth.key_secrets.
CREATE TABLE auth.service_keys (
    id uuid NOT NULL,
    kind text NOT NULL,
    -- The owner of an admin key. NULL for other keys, whose owner is the workspace or the platform.
    organization_id uuid,
    name text NOT NULL,
    -- The unique name of the key, or NULL if its name need not be unique. The rule of each dialect fills it. Revoking
    -- the key clears it, which frees the name.
    unique_name text,
    description text,
    mode text NOT NULL,
    scopes text[] NOT NULL,
    -- The permissions of the key in the management API. In contrast, `scopes` are the ones that the tenant's own
    -- services check.
    permissions text[] NOT NULL DEFAULT '{}',
    -- The allowed namespaces. NULL allows every namespace, and an empty array only the default one.
    allowed_namespaces text[],
    -- The allowed addresses and CIDR ranges. Empty allows every address.
    allowed_ips text[] NOT NULL DEFAULT '{}',
    -- The maximum number of verifications. NULL means no limit.
    rate_limit_per_minute integer,
    rate_limit_per_hour integer,
    expires_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',
    disabled_at timestamptz,
    deprecated_at timestamptz,
    deprecation_reason text,
    -- The end of the grace period, until which a deprecated key works.
    grace_period_ends_at timestamptz,
    -- Set by a deprecation without a grace period. This is a state: a timestamp of now would race with the clocks of
    -- other nodes.
    ended_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    revocation_reason text,
    -- The key that replaced this one, in a dialect that rotates by creating a new key. There is no foreign key, because
    -- that key can be deleted.
    replaced_by uuid,
    -- Text, because an actor is a key, a member, the platform or a person in another system.
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

-- Names are unique in an organization for admin keys, and in the database for other keys: their organization_id is
-- NULL, which counts as a value here. A violation reports the name of this index.
CREATE UNIQUE INDEX service_keys_unique_name ON auth.service_keys (organization_id, unique_name) NULLS NOT DISTINCT
    WHERE unique_name IS NOT NULL;

-- For lists, newest first, which continue after a (created_at, id).
CREATE INDEX service_keys_newest ON auth.service_keys (created_at DESC, id DESC);

REVOKE ALL ON auth.service_keys FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.service_keys TO {{runtime_role}};
