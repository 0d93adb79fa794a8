-- Adds the reason 'removed': the user lost the last role in the organization of the session.
ALTER TABLE control.sessions DROP CONSTRAINT IF EXISTS sessions_end_reason_known;
ALTER TABLE control.sessions
    ADD
        CONSTRAINT sessions_end_reason_known CHECK (end_reason IN ('signed_out', 'reused', 'password_changed', 'removed')) NOT VALID;
