-- mortise:no-transaction
-- For the numbers of keys by status, which are counted in the index alone. Time ends keys without a change of a row, so no
-- number is stored.
DROP INDEX CONCURRENTLY IF EXISTS auth.service_keys_states;
-- mortise:next
CREATE INDEX CONCURRENTLY service_keys_states ON auth.service_keys (
    revoked_at, ended_at, disabled_at, deprecated_at, expires_at, grace_period_ends_at
);
-- mortise:next
DROP INDEX CONCURRENTLY IF EXISTS auth.client_keys_states;
-- mortise:next
CREATE INDEX CONCURRENTLY client_keys_states ON auth.client_keys (
    revoked_at, ended_at, disabled_at, deprecated_at, expires_at, grace_period_ends_at
);
