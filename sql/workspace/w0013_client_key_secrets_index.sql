-- mortise:no-transaction
-- For the secrets of a client key, and for the cascade of a deleted client key.
DROP INDEX CONCURRENTLY IF EXISTS auth.key_secrets_client_key_id;
-- mortise:next
CREATE INDEX CONCURRENTLY key_secrets_client_key_id ON auth.key_secrets (client_key_id) WHERE client_key_id IS NOT NULL;
