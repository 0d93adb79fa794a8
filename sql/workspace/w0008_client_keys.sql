-- The client keys. Each belongs to a subject, which is a person or an organization in the tenant's own application.
-- Client keys have the settings and the lifecycle of auth.service_keys. The control database has the table too, because
-- it is the root tenant, but no row in it.
CREATE TABLE auth.client_keys (
    id uuid NOT NULL,
    -- The subject that owns the key. Mortise compares it, and does not interpret it.
    subject text NOT NULL,
    -- A label of the application, or NULL.
    type text,
    name text NOT NULL,
    -- The name that is unique for the subject, or NULL if the name need not be unique. A key keeps it until the key is
    -- deleted, also if the key is revoked or moves to another subject.
    unique_name text,
    description text,
    mode text NOT NULL,
    scopes text[] NOT NULL,
    -- The allowed namespaces. NULL allows every namespace, and an empty array only the default one.
    allowed_namespaces text[],
    -- The allowed addresses and CIDR ranges. Empty allows every address.
    allowed_ips text[] NOT NULL DEFAULT '{}',
    -- The maximum number of verifications. NULL means no limit.
    rate_limit_per_minute integer,
    rate_limit_per_hour integer,
    expires_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',
    -- The claims of the application about the subject, any JSON. Mortise returns them with the key, and does not act on
    -- them.
    claims jsonb,
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
    -- The key that replaced this one. There is no foreign key, because that key can be deleted.
    replaced_by uuid,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT client_keys_pkey PRIMARY KEY (id),
    CONSTRAINT client_keys_subject_length CHECK (char_length(subject) BETWEEN 1 AND 255),
    CONSTRAINT client_keys_type_length CHECK (char_length(type) BETWEEN 1 AND 64),
    CONSTRAINT client_keys_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    CONSTRAINT client_keys_mode_known CHECK (mode IN ('live', 'test')),
    CONSTRAINT client_keys_scopes_without_null CHECK (array_position(scopes, NULL) IS NULL),
    CONSTRAINT client_keys_namespaces_without_null CHECK (array_position(allowed_namespaces, NULL) IS NULL),
    CONSTRAINT client_keys_ips_without_null CHECK (array_position(allowed_ips, NULL) IS NULL),
    CONSTRAINT client_keys_rate_limit_per_minute_positive CHECK (rate_limit_per_minute > 0),
    CONSTRAINT client_keys_rate_limit_per_hour_positive CHECK (rate_limit_per_hour > 0),
    CONSTRAINT client_keys_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
);

-- A violation reports the name of this index.
CREATE UNIQUE INDEX client_keys_unique_name ON auth.client_keys (subject, unique_name) WHERE unique_name IS NOT NULL;

-- For lists of all keys and of the keys of a subject, newest first, which continue after a (created_at, id).
CREATE INDEX client_keys_newest ON auth.client_keys (created_at DESC, id DESC);
CREATE INDEX client_keys_newest_of_subject ON auth.client_keys (subject, created_at DESC, id DESC);

REVOKE ALL ON auth.client_keys FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.client_keys TO {{runtime_role}};
