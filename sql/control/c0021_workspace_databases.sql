-- Checks the existing rows, without the lock that would block all other sessions.
ALTER TABLE control.workspaces VALIDATE CONSTRAINT workspaces_database_is_the_refs;
