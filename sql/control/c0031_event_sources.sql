-- The databases that can have events for webhooks. A change of a key marks its workspace before it commits, and a node
-- reads only marked workspaces. A row is deleted when its workspace had no event for longer than a change can take.
CREATE TABLE control.event_sources (
    -- The workspace; zeros stand for the control database, whose row is permanent.
    id uuid NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The node that reads the events, and the end of its lease. Another node takes over then.
    leased_by uuid,
    leased_until timestamptz,
    CONSTRAINT event_sources_pkey PRIMARY KEY (id)
);

CREATE INDEX event_sources_due_at ON control.event_sources (due_at);

INSERT INTO control.event_sources (id, marked_at) VALUES ('00000000-0000-0000-0000-000000000000', 'infinity');

REVOKE ALL ON control.event_sources FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON control.event_sources TO {{runtime_role}};
