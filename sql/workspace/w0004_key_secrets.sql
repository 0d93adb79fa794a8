-- What opens a key: the keyed digest of one token, never the token. A key has two while it is being rotated. The hot
-- lookup goes from `digest` to here, to the key and to auth.workspace in one statement.
CREATE TABLE auth.key_secrets (
    id uuid NOT NULL,
    -- A further table of keys adds its own nullable column here and drops this NOT NULL: the program of the release
    -- before joins by key_id and does not see what it does not know.
    key_id uuid NOT NULL,
    -- HMAC-SHA-256 of the whole token under the pepper named beside it.
    digest bytea NOT NULL,
    pepper_id text NOT NULL,
    -- The first characters of the token, which may be shown again.
    prefix text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When a replaced secret stops to work.
    ends_at timestamptz,
    -- Set by a rotation without grace, and by one rotation too many: a state, not a timestamp to race with.
    ended_at timestamptz,
    CONSTRAINT key_secrets_pkey PRIMARY KEY (id),
    CONSTRAINT key_secrets_digest_key UNIQUE (digest),
    CONSTRAINT key_secrets_digest_length CHECK (octet_length(digest) = 32),
    CONSTRAINT key_secrets_key_id_fkey FOREIGN KEY (key_id) REFERENCES auth.service_keys (id) ON DELETE CASCADE
);

-- For the secrets of one key, and for the cascade.
CREATE INDEX key_secrets_key_id ON auth.key_secrets (key_id);
-- For finding a key by the beginning of its token; text_pattern_ops because LIKE cannot use the order of most locales.
CREATE INDEX key_secrets_prefix ON auth.key_secrets (prefix text_pattern_ops);

REVOKE ALL ON auth.key_secrets FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.key_secrets TO {{runtime_role}};
