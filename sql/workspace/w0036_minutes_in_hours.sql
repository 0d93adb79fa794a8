-- The minutes of an hour in the row of the hour, so that a flush writes one row for each key and verdict instead of two. The array
-- reaches from the first minute with a count to the last one, which are its bounds, from 0 to 59. NULL if no count has come, or if the
-- minutes are older than two days.
ALTER TABLE auth.key_usage_hourly ADD COLUMN IF NOT EXISTS minutes integer[];

-- The release before this one adds to auth.key_usage_minutes and to the hours until its last node has ended, so the table stays until a
-- later release drops it.
UPDATE auth.key_usage_hourly h SET minutes = m.minutes
FROM (
    SELECT s.key_id, s.hour, s.code, ('[0:59]=' || array_agg(coalesce(u.count, 0)::integer ORDER BY n)::text)::integer[] AS minutes
    FROM (SELECT DISTINCT key_id, date_trunc('hour', minute, 'UTC') AS hour, code FROM auth.key_usage_minutes) s
    CROSS JOIN generate_series(0, 59) n
    LEFT JOIN auth.key_usage_minutes u
        ON u.key_id = s.key_id AND u.code = s.code AND u.minute = s.hour + n * interval '1 minute'
    GROUP BY s.key_id, s.hour, s.code
) m
WHERE h.key_id = m.key_id AND h.hour = m.hour AND h.code = m.code AND h.minutes IS NULL;
