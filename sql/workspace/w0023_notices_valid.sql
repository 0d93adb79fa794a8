-- A file of its own, because validating the constraint needs a weaker lock than adding it.
ALTER TABLE auth.key_events VALIDATE CONSTRAINT key_events_type_words;
