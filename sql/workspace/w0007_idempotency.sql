-- What was answered to an Idempotency-Key, for a day. Written in the transaction of the change it belongs to: a twin
-- waits at the primary key and then replays, a rollback leaves nothing.
CREATE TABLE auth.idempotency (
    -- Who called, as text; the same key from two callers is two keys.
    principal text NOT NULL,
    -- HMAC of the Idempotency-Key, which itself would help to derive a token and is not stored.
    key_mac bytea NOT NULL,
    -- SHA-256 over what was asked: the same key with another request is a mistake.
    fingerprint bytea NOT NULL,
    -- With the secret `secret_id`, which is not in the database, and the raw Idempotency-Key, the token is derived
    -- again.
    nonce bytea NOT NULL,
    secret_id text NOT NULL,
    resource_id uuid NOT NULL,
    -- The answer without the token, and its status; NULL until there is one, and where it is made from the resource
    -- again.
    answer jsonb,
    status integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_pkey PRIMARY KEY (principal, key_mac),
    CONSTRAINT idempotency_key_mac_length CHECK (octet_length(key_mac) = 32),
    CONSTRAINT idempotency_fingerprint_length CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT idempotency_nonce_length CHECK (octet_length(nonce) = 32),
    CONSTRAINT idempotency_status_code CHECK (status BETWEEN 200 AND 599)
);

-- For deleting what is older than a day.
CREATE INDEX idempotency_created_at ON auth.idempotency (created_at);

REVOKE ALL ON auth.idempotency FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.idempotency TO {{runtime_role}};
