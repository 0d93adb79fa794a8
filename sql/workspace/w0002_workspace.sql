-- Whose database this is, and whether its keys may be accepted: every lookup of a key joins this one row, so that a
-- suspended workspace refuses its keys without a second place to ask.
CREATE TABLE auth.workspace (
    -- Always true and unique, so there is at most one row.
    singleton boolean NOT NULL DEFAULT true,
    workspace_id uuid NOT NULL,
    -- NULL in the root tenant, which belongs to the platform.
    organization_id uuid,
    ref text NOT NULL,
    state text NOT NULL,
    -- Counts the changes of state, so that a reader can tell that there was one.
    generation bigint NOT NULL DEFAULT 1,
    CONSTRAINT workspace_singleton PRIMARY KEY (singleton),
    CONSTRAINT workspace_one_row CHECK (singleton),
    CONSTRAINT workspace_ref_form CHECK (ref ~ '^[0-9A-Za-z]{8}$'),
    CONSTRAINT workspace_state_known CHECK (state IN ('creating', 'active', 'suspended', 'archived', 'deleting'))
);

REVOKE ALL ON auth.workspace FROM PUBLIC;
-- UPDATE of the generation alone: SELECT … FOR SHARE needs the right to update some column, and a change of a key locks
-- this row so that it cannot pass a change of the workspace's state.
GRANT SELECT, UPDATE (generation) ON auth.workspace TO {{runtime_role}};
