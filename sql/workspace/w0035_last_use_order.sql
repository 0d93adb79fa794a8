-- The order in which people look through keys by their last use. The column is indexed, and last_used_at itself is not: a use would
-- then write every index of the table, and a flush of many uses took 2.5 times as long. The minute changes at most once in a minute,
-- and the keys of one minute are sorted when they are read. The table is narrow, so it is rewritten in 0.2 s for 100,000 rows, in
-- which flushes wait. The release before this one names the columns that it writes, so it fills this one, too.
ALTER TABLE auth.key_usage ADD COLUMN IF NOT EXISTS last_used_minute timestamp NOT NULL
    GENERATED ALWAYS AS (date_trunc('minute', last_used_at AT TIME ZONE 'UTC')) STORED;
CREATE INDEX IF NOT EXISTS key_usage_last_used_minute ON auth.key_usage (last_used_minute);
