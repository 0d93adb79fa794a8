-- Events are of more kinds here, and a list of all would have to be changed with each: what matters is that a type looks
-- like one. Unchecked rows are those that the list allowed.
ALTER TABLE auth.key_events DROP CONSTRAINT IF EXISTS key_events_type_known;
ALTER TABLE auth.key_events
    ADD
        CONSTRAINT key_events_type_form CHECK (type ~ '^[a-z]+([._][a-z]+)*$') NOT VALID;
