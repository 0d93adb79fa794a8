-- A workspace has more types of events, too. The constraint checks the form of a type, as in the control database.
-- Existing rows need no check, because the list allowed them.
ALTER TABLE auth.key_events DROP CONSTRAINT IF EXISTS key_events_type_known;
ALTER TABLE auth.key_events DROP CONSTRAINT IF EXISTS key_events_type_words;
ALTER TABLE auth.key_events
    ADD
        CONSTRAINT key_events_type_words CHECK (type ~ '^[a-z]+([._][a-z]+)*$') NOT VALID;
