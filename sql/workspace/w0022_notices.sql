-- A workspace has more types of events, too. The constraint checks the form of a type, as in the control database.
-- Existing rows need no check, because the list allowed them.
ALTER TABLE auth.key_events DROP CONSTRAINT IF EXISTS key_events_type_known;
ALTER TABLE auth.key_events DROP CONSTRAINT IF EXISTS key_events_type_words;
ALTER TABLE auth.key_events
    ADD
        CONSTRAINT key_events_type_words CHECK (type ~ '^[a-z]+([._][a-z]+)*$') NOT VALID;

-- The last notice of each type about each key, so that each is written once, whatever the number of nodes. There is no
-- foreign key, because keys stand in two tables.
CREATE TABLE IF NOT EXISTS auth.key_notices (
    key_id uuid NOT NULL,
    -- The type of the notice: expiring, grace_ending, unused or limit_reached.
    type text NOT NULL,
    -- The instant that the notice is about: an end, the last use, or the hour of a limit.
    about timestamptz NOT NULL,
    -- The days before the end at which the notice was due. Zero for other types.
    days bigint NOT NULL DEFAULT 0,
    CONSTRAINT key_notices_pkey PRIMARY KEY (key_id, type)
);

REVOKE ALL ON auth.key_notices FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.key_notices TO {{runtime_role}};
