-- The nodes that can have a good lease. A node that is not listed answers nothing from memory. A node deletes its row
-- when it leaves. The row of a silent node is deleted by a change that has waited for it, and by nothing else.
CREATE TABLE fence.leases (
    -- A random id of one start of a process. No id is used twice.
    node_id uuid NOT NULL,
    -- The fences that the node has raised: the acknowledgements of its last renewal.
    raised uuid[] NOT NULL,
    -- For people who look. No rule uses the server's clock.
    renewed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT leases_pkey PRIMARY KEY (node_id)
);

REVOKE ALL ON fence.leases FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON fence.leases TO {{runtime_role}};
