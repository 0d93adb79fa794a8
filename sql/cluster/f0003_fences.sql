-- The fences that stand. The change that inserted a fence deletes it. If that change never ends, the fence expires.
CREATE TABLE fence.fences (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    -- NULL is a fence around all keys of the workspace.
    key_id uuid,
    inserted_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT fences_pkey PRIMARY KEY (id),
    CONSTRAINT fences_expire_later CHECK (expires_at > inserted_at)
);

REVOKE ALL ON fence.fences FROM PUBLIC;
-- UPDATE is for SELECT … FOR UPDATE, which keeps a fence from expiring.
GRANT SELECT, INSERT, UPDATE, DELETE ON fence.fences TO {{runtime_role}};
