-- The answers to requests with an Idempotency-Key, for a day. A row is written in the transaction of its change. A
-- concurrent request with the same Idempotency-Key waits at the primary key and then gets the same answer. A rollback
-- leaves no row.
CREATE TABLE auth.idempotency (
    -- The caller. The Idempotency-Keys of two callers are different ones, also with the same text.
    principal text NOT NULL,
    -- The HMAC of the Idempotency-Key. The raw Idempotency-Key is not stored, because a token is derived from it.
    key_mac bytea NOT NULL,
    -- The SHA-256 of the request. A different request with the same Idempotency-Key is an error.
    fingerprint bytea NOT NULL,
    -- The token is derived again from the nonce, from the raw Idempotency-Key, and from the secret `secret_id`, which
    -- is not in the database.
    nonce bytea NOT NULL,
    secret_id text NOT NULL,
    resource_id uuid NOT NULL,
    -- The answer without the token, and its status. NULL until there is an answer, and if the answer is created from
    -- the resource again.
    answer jsonb,
    status integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_pkey PRIMARY KEY (principal, key_mac),
    CONSTRAINT idempotency_key_mac_length CHECK (octet_length(key_mac) = 32),
    CONSTRAINT idempotency_fingerprint_length CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT idempotency_nonce_length CHECK (octet_length(nonce) = 32),
    CONSTRAINT idempotency_status_code CHECK (status BETWEEN 200 AND 599)
);

-- For the deletion of rows that are older than a day.
CREATE INDEX idempotency_created_at ON auth.idempotency (created_at);

REVOKE ALL ON auth.idempotency FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.idempotency TO {{runtime_role}};
