-- When a secret was last used and how often. A narrow table of its own: counts arrive in batches every few seconds, and
-- would otherwise rewrite the very rows that lookups read. No foreign keys: a batch must not fail because a key went
-- away meanwhile.
CREATE TABLE auth.key_usage (
    secret_id uuid NOT NULL,
    key_id uuid NOT NULL,
    last_used_at timestamptz NOT NULL,
    verifications bigint NOT NULL DEFAULT 0,
    CONSTRAINT key_usage_pkey PRIMARY KEY (secret_id)
) WITH (fillfactor = 50);

CREATE INDEX key_usage_key_id ON auth.key_usage (key_id);

-- How often a key was verified in an hour, by verdict: what usage reports read.
CREATE TABLE auth.key_usage_hourly (
    key_id uuid NOT NULL,
    -- The beginning of the hour, UTC.
    hour timestamptz NOT NULL,
    -- The code of the verdict: valid, expired, rate_limited, …
    code text NOT NULL,
    count bigint NOT NULL DEFAULT 0,
    CONSTRAINT key_usage_hourly_pkey PRIMARY KEY (key_id, hour, code),
    CONSTRAINT key_usage_hourly_count_positive CHECK (count >= 0)
) WITH (fillfactor = 50);

-- For reports over all keys, and for removing what is old.
CREATE INDEX key_usage_hourly_hour ON auth.key_usage_hourly (hour);

REVOKE ALL ON auth.key_usage, auth.key_usage_hourly FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.key_usage, auth.key_usage_hourly TO {{runtime_role}};
