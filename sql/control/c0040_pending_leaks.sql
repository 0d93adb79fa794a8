-- Reports of leaked tokens that were answered although their keys could not be dealt with at once. Nodes repeat them until the keys have been
-- dealt with or are gone.

-- The databases with such reports. A node leases a database, so no two nodes repeat the same report.
CREATE TABLE control.leak_databases (
    -- The workspace in the tokens. Eight zeros are the control database.
    workspace_ref text NOT NULL,
    -- Every report adds one, so that a node does not delete the row of a report that it has not seen.
    revision bigint NOT NULL DEFAULT 1,
    -- The number of attempts in a row that failed.
    failure_count integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    -- The node that makes an attempt, and the end of its lease. Another node takes over then.
    leased_by uuid,
    leased_until timestamptz,
    CONSTRAINT leak_databases_pkey PRIMARY KEY (workspace_ref),
    CONSTRAINT leak_databases_failure_count_positive CHECK (failure_count >= 0)
);

CREATE INDEX leak_databases_due_at ON control.leak_databases (due_at);

CREATE TABLE control.pending_leaks (
    id uuid NOT NULL,
    workspace_ref text NOT NULL,
    -- The digests of the token under the peppers of its workspace, 32 bytes each, that of the current pepper first. Never the token.
    digests bytea NOT NULL,
    source text NOT NULL,
    -- The place in which the token was found, without tokens.
    url text,
    -- The sender of the report, for the event.
    address text,
    request_id text,
    reported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempt_count integer NOT NULL DEFAULT 0,
    CONSTRAINT pending_leaks_pkey PRIMARY KEY (id),
    CONSTRAINT pending_leaks_workspace_ref_fkey FOREIGN KEY (workspace_ref) REFERENCES control.leak_databases (workspace_ref),
    CONSTRAINT pending_leaks_digests_length CHECK (octet_length(digests) > 0 AND octet_length(digests) % 32 = 0),
    CONSTRAINT pending_leaks_attempt_count_positive CHECK (attempt_count >= 0)
);

-- A token that is reported again is kept once.
CREATE UNIQUE INDEX pending_leaks_digest ON control.pending_leaks (substr(digests, 1, 32));
-- For the attempts: those that have failed least come first, so that one that always fails holds up no other.
CREATE INDEX pending_leaks_order ON control.pending_leaks (workspace_ref, attempt_count, reported_at, id);

REVOKE ALL ON control.leak_databases, control.pending_leaks FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON control.leak_databases, control.pending_leaks TO {{runtime_role}};
