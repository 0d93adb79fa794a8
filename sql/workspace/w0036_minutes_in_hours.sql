-- The minutes of an hour in the row of the hour, so that a flush writes one row for each key and verdict instead of two. The bounds of the
-- array lie between 0 and 59: an hour with uses in one minute has an array of one element. NULL if the hour was counted before this
-- migration, or ended two days ago.
--
-- The release before this one adds to auth.key_usage_minutes until its last node has ended, so a later release drops that table.
ALTER TABLE auth.key_usage_hourly ADD COLUMN IF NOT EXISTS minutes integer[];
