-- The members: users with a role in an organization or in one of its workspaces.
CREATE TABLE control.members (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    -- NULL for a role in the whole organization.
    workspace_id uuid,
    role text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT members_pkey PRIMARY KEY (id),
    CONSTRAINT members_user_id_fkey FOREIGN KEY (user_id) REFERENCES control.users (id) ON DELETE CASCADE,
    CONSTRAINT members_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES control.organizations (id)
        ON DELETE CASCADE,
    CONSTRAINT members_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES control.workspaces (id) ON DELETE CASCADE,
    CONSTRAINT members_role_known CHECK (role IN ('owner', 'admin', 'member', 'auditor'))
);

-- A user has at most one role in an organization, and at most one in each workspace. There are two indexes, because a
-- unique index takes NULLs as different values.
CREATE UNIQUE INDEX members_of_organization ON control.members (user_id, organization_id) WHERE workspace_id IS NULL;
CREATE UNIQUE INDEX members_of_workspace ON control.members (user_id, workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX members_newest_of_organization ON control.members (organization_id, created_at DESC, id DESC);
-- For the cascade of a deleted workspace.
CREATE INDEX members_workspace_id ON control.members (workspace_id) WHERE workspace_id IS NOT NULL;

REVOKE ALL ON control.members FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON control.members TO {{runtime_role}};
GRANT UPDATE (role, updated_at) ON control.members TO {{runtime_role}};
