-- Keys that belong to a subject: a person or an organization that the tenant's own application knows, by whatever name it
-- knows them. The same settings and the same life as auth.service_keys; the control database has the table too, since it
-- is the root tenant, and never a row in it.
CREATE TABLE auth.client_keys (
    id uuid NOT NULL,
    -- Whose key it is. It says nothing to Mortise, which only compares it.
    subject text NOT NULL,
    -- A label of the application's, or NULL.
    type text,
    name text NOT NULL,
    -- What the subject must not have twice, or NULL where names may occur twice. Held until the key is deleted, revoked or
    -- not, and moved with it to another subject.
    unique_name text,
    description text,
    mode text NOT NULL,
    scopes text[] NOT NULL,
    -- NULL allows every namespace, an empty array only the default one.
    allowed_namespaces text[],
    -- Addresses or CIDR ranges; empty allows every address.
    allowed_ips text[] NOT NULL DEFAULT '{}',
    -- NULL is unlimited.
    rate_limit_per_minute integer,
    rate_limit_per_hour integer,
    expires_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',
    -- What the application says about the subject: any JSON, told to whoever reads the key, acted upon by nobody here.
    claims jsonb,
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
    -- The key that came in this one's place; no foreign key, for it may be deleted.
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

-- A violation reports this index's name.
CREATE UNIQUE INDEX client_keys_unique_name ON auth.client_keys (subject, unique_name) WHERE unique_name IS NOT NULL;

-- Lists are newest first and continue after a (created_at, id): of everybody, and of one subject.
CREATE INDEX client_keys_newest ON auth.client_keys (created_at DESC, id DESC);
CREATE INDEX client_keys_newest_of_subject ON auth.client_keys (subject, created_at DESC, id DESC);

REVOKE ALL ON auth.client_keys FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.client_keys TO {{runtime_role}};
