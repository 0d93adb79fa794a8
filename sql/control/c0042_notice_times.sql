-- The searches for notices: one row for each workspace, and one for the admin keys of each organization. No release contained the table
-- that this one replaces.
DROP TABLE control.notice_searches;
CREATE TABLE control.notice_times (
    -- The workspace or the organization.
    id uuid NOT NULL,
    -- The next search. The node that moves the time makes the search.
    due_at timestamptz NOT NULL,
    -- The next search that reads the last use of all keys.
    complete_at timestamptz NOT NULL DEFAULT '-infinity',
    searched_at timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT notice_times_pkey PRIMARY KEY (id)
);

CREATE INDEX notice_times_due_at ON control.notice_times (due_at);

REVOKE ALL ON control.notice_times FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON control.notice_times TO {{runtime_role}};
