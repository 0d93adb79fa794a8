-- The orders in which people look through keys in the console, besides the newest first. The expressions are those of
-- the queries, and the id orders keys with the same value. A key without an end comes after all others.
CREATE INDEX service_keys_by_name ON auth.service_keys (lower(name), id);
CREATE INDEX client_keys_by_name ON auth.client_keys (lower(name), id);
CREATE INDEX service_keys_by_end ON auth.service_keys (
    (coalesce(least(expires_at, grace_period_ends_at), '9999-12-31 23:59:59.999999+00'::timestamptz)), id
);
CREATE INDEX client_keys_by_end ON auth.client_keys (
    (coalesce(least(expires_at, grace_period_ends_at), '9999-12-31 23:59:59.999999+00'::timestamptz)), id
);
