-- The workspace of this database, and its state. Every look-up of a key joins this row, so a suspended workspace
-- refuses its keys without a second query.
CREATE TABLE auth.workspace (
    -- Always true and unique, so the table has at most one row.
    singleton boolean NOT NULL DEFAULT true,
    workspace_id uuid NOT NULL,
    -- NULL in the root tenant, which belongs to the platform.
    organization_id uuid,
    ref text NOT NULL,
    state text NOT NULL,
    -- The number of changes of state, by which a reader notices a change.
    generation bigint NOT NULL DEFAULT 1,
    CONSTRAINT workspace_singleton PRIMARY KEY (singleton),
    CONSTRAINT workspace_one_row CHECK (singleton),
    CONSTRAINT workspace_ref_form CHECK (ref ~ '^[0-9A-Za-z]{8}$'),
    CONSTRAINT workspace_state_known CHECK (state IN ('creating', 'active', 'suspended', 'archived', 'deleting'))
);

REVOKE ALL ON auth.workspace FROM PUBLIC;
-- The runtime role can update the generation alone. SELECT … FOR SHARE needs the privilege to update a column, and a
-- change of a key locks this row, so that it waits for a change of the workspace's state.
GRANT SELECT, UPDATE (generation) ON auth.workspace TO {{runtime_role}};
