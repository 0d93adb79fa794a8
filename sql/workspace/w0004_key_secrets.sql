-- The secrets of keys: the keyed digest of each token, never the token. A key has two secrets while it is rotated. The
-- look-up of a verification goes from `digest` to the secret, to its key and to auth.workspace in one statement.
CREATE TABLE auth.key_secrets (
    id uuid NOT NULL,
    -- A further table of keys adds a nullable column of its own and drops this NOT NULL. The program of the release
    -- before joins by key_id, and does not see the secrets of keys that it does not know.
    key_id uuid NOT NULL,
    -- The HMAC-SHA-256 of the whole token, with the pepper in pepper_id.
    digest bytea NOT NULL,
    pepper_id text NOT NULL,
    -- The first characters of the token, which can be shown again.
    prefix text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The instant at which a replaced secret ends.
    ends_at timestamptz,
    -- Set by a rotation without a grace period, and on the oldest secret by a further rotation. This is a state, so
    -- that no clock matters.
    ended_at timestamptz,
    CONSTRAINT key_secrets_pkey PRIMARY KEY (id),
    CONSTRAINT key_secrets_digest_key UNIQUE (digest),
    CONSTRAINT key_secrets_digest_length CHECK (octet_length(digest) = 32),
    CONSTRAINT key_secrets_key_id_fkey FOREIGN KEY (key_id) REFERENCES auth.service_keys (id) ON DELETE CASCADE
);

-- For the secrets of a key, and for the cascade of a deleted key.
CREATE INDEX key_secrets_key_id ON auth.key_secrets (key_id);
-- For the search for a key by the first characters of its token. It uses text_pattern_ops, because LIKE cannot use the
-- order of most locales.
CREATE INDEX key_secrets_prefix ON auth.key_secrets (prefix text_pattern_ops);

REVOKE ALL ON auth.key_secrets FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.key_secrets TO {{runtime_role}};
