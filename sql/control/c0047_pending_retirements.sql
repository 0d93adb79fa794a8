-- The workspaces in which the client keys of a removed member are still to be disabled or revoked. The rows are written with the removal,
-- and deleted when the keys have been changed. So a removal that could not finish is finished later, by any node.
CREATE TABLE control.pending_retirements (
    -- The membership that was removed.
    membership_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    -- The user whose client keys are changed, and who can be deleted.
    user_id uuid NOT NULL,
    -- The outcome for the keys.
    treatment text NOT NULL,
    -- The number of attempts of nodes.
    attempt_count integer NOT NULL DEFAULT 0,
    -- The time from which any node tries. Until then, the node that removed the member does.
    due_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '20 seconds',
    CONSTRAINT pending_retirements_pkey PRIMARY KEY (membership_id, workspace_id),
    CONSTRAINT pending_retirements_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES control.workspaces (id) ON DELETE CASCADE,
    CONSTRAINT pending_retirements_attempt_count_positive CHECK (attempt_count >= 0),
    CONSTRAINT pending_retirements_treatment_known CHECK (treatment IN ('disable', 'revoke'))
);

CREATE INDEX pending_retirements_due_at ON control.pending_retirements (due_at);
CREATE INDEX pending_retirements_user_id ON control.pending_retirements (user_id);
CREATE INDEX pending_retirements_workspace_id ON control.pending_retirements (workspace_id);

REVOKE ALL ON control.pending_retirements FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON control.pending_retirements TO {{runtime_role}};
