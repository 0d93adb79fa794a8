-- mortise:no-transaction
-- For the replaced secrets that still work.
DROP INDEX CONCURRENTLY IF EXISTS auth.key_secrets_ending;
-- mortise:next
CREATE INDEX CONCURRENTLY key_secrets_ending ON auth.key_secrets (ends_at, id)
    WHERE ends_at IS NOT NULL AND ended_at IS NULL;
