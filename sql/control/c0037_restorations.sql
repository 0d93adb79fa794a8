-- The restorations of this installation from a backup. Servers do not start until the latest one is released: keys, members and
-- sessions that ended after the backup was made would work again.
CREATE TABLE control.restorations (
    -- The id of the backup.
    id uuid NOT NULL,
    -- The backup has every change that was committed before this instant.
    moment timestamptz NOT NULL,
    restored_at timestamptz NOT NULL DEFAULT now(),
    -- NULL until an operator confirms the moment.
    released_at timestamptz,
    CONSTRAINT restorations_pkey PRIMARY KEY (id)
);

-- The workspaces that a restoration suspended, although they were active in the backup. A release can resume them.
CREATE TABLE control.held_workspaces (
    workspace_id uuid NOT NULL,
    CONSTRAINT held_workspaces_pkey PRIMARY KEY (workspace_id),
    CONSTRAINT held_workspaces_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES control.workspaces (id)
        ON DELETE CASCADE
);

-- Only the owner restores and releases.
REVOKE ALL ON control.restorations, control.held_workspaces FROM PUBLIC;
