-- The nodes as they describe themselves, for people who look, and for the rotation of peppers. A node inserts its row before it
-- gets a lease, so each lease of a node of this release has one. No rule of the fences depends on this table.
CREATE TABLE IF NOT EXISTS fence.nodes (
    node_id uuid NOT NULL,
    -- The name of the machine, and the number of the process there.
    host text NOT NULL,
    process_id bigint NOT NULL,
    version text NOT NULL,
    -- The ids of the peppers that the node knows.
    peppers text[] NOT NULL,
    -- A node describes itself again after it has been without a lease.
    described_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT nodes_pkey PRIMARY KEY (node_id)
);

REVOKE ALL ON fence.nodes FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON fence.nodes TO {{runtime_role}};
