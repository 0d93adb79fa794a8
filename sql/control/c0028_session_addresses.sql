-- The address that the session's user signed in from, so that a user recognizes a session of somebody else.
ALTER TABLE control.sessions ADD COLUMN IF NOT EXISTS address text;
