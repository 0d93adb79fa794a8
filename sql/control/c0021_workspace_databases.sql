-- Checks the rows that were there before; without the lock that keeps everybody else out.
ALTER TABLE control.workspaces VALIDATE CONSTRAINT workspaces_database_is_the_refs;
