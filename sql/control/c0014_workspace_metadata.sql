-- The metadata of a workspace's owner. Mortise stores and shows it, and does not interpret it.
ALTER TABLE control.workspaces ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
ALTER TABLE control.workspaces
    ADD
        CONSTRAINT workspaces_metadata_object CHECK (jsonb_typeof(metadata) = 'object') NOT VALID;
GRANT UPDATE (metadata) ON control.workspaces TO {{runtime_role}};
