-- The last use and the number of uses of each secret. This is a narrow table of its own, because counts arrive in
-- batches every few seconds and must not rewrite the rows that look-ups read. There are no foreign keys, because a
-- batch must not fail after a key was deleted.
CREATE TABLE auth.key_usage (
    secret_id uuid NOT NULL,
    key_id uuid NOT NULL,
    last_used_at timestamptz NOT NULL,
    verifications bigint NOT NULL DEFAULT 0,
    CONSTRAINT key_usage_pkey PRIMARY KEY (secret_id)
) WITH (fillfactor = 50);

CREATE INDEX key_usage_key_id ON auth.key_usage (key_id);

-- The number of verifications of each key in each hour, by verdict. Usage reports read this table.
CREATE TABLE auth.key_usage_hourly (
    key_id uuid NOT NULL,
    -- The start of the hour, in UTC.
    hour timestamptz NOT NULL,
    -- The code of the verdict: valid, expired, rate_limited, …
    code text NOT NULL,
    count bigint NOT NULL DEFAULT 0,
    CONSTRAINT key_usage_hourly_pkey PRIMARY KEY (key_id, hour, code),
    CONSTRAINT key_usage_hourly_count_positive CHECK (count >= 0)
) WITH (fillfactor = 50);

-- For reports over all keys, and for the deletion of old rows.
CREATE INDEX key_usage_hourly_hour ON auth.key_usage_hourly (hour);

REVOKE ALL ON auth.key_usage, auth.key_usage_hourly FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.key_usage, auth.key_usage_hourly TO {{runtime_role}};
