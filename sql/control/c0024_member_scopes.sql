-- The scopes that the members of a workspace can give to their own client keys. NULL allows every scope without a
-- wildcard.
ALTER TABLE control.workspaces ADD COLUMN IF NOT EXISTS member_scopes text[];
GRANT UPDATE (member_scopes) ON control.workspaces TO {{runtime_role}};
