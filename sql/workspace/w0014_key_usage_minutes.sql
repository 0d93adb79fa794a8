-- The number of verifications of each key in each minute, by verdict. A flush adds to this table and to
-- auth.key_usage_hourly in one transaction, so that the hours are the sums of the minutes. Minutes are kept for two days.
CREATE TABLE auth.key_usage_minutes (
    key_id uuid NOT NULL,
    -- The start of the minute, in UTC.
    minute timestamptz NOT NULL,
    -- The code of the verdict: valid, expired, rate_limited, …
    code text NOT NULL,
    count bigint NOT NULL DEFAULT 0,
    CONSTRAINT key_usage_minutes_pkey PRIMARY KEY (key_id, minute, code),
    CONSTRAINT key_usage_minutes_count_positive CHECK (count >= 0)
) WITH (fillfactor = 50);

-- For reports over all keys, and for the deletion of old rows.
CREATE INDEX key_usage_minutes_minute ON auth.key_usage_minutes (minute);

-- The last known address of a client whose verification of the secret was accepted.
ALTER TABLE auth.key_usage ADD COLUMN last_used_address text;

REVOKE ALL ON auth.key_usage_minutes FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.key_usage_minutes TO {{runtime_role}};
