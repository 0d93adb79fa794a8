-- The days before the end of a key at which an organization is told. NULL means 30, 7 and 1.
ALTER TABLE control.organizations ADD COLUMN IF NOT EXISTS expiry_notice_days bigint[];
-- The days without a use after which an organization is told of a key. NULL means 90, and 0 never.
ALTER TABLE control.organizations ADD COLUMN IF NOT EXISTS unused_after_days bigint;
ALTER TABLE control.organizations DROP CONSTRAINT IF EXISTS organizations_expiry_notice_days_few;
ALTER TABLE control.organizations
    ADD
        CONSTRAINT organizations_expiry_notice_days_few CHECK (cardinality(expiry_notice_days) <= 10) NOT VALID;
ALTER TABLE control.organizations DROP CONSTRAINT IF EXISTS organizations_unused_after_days_range;
ALTER TABLE control.organizations
    ADD
        CONSTRAINT organizations_unused_after_days_range CHECK (unused_after_days BETWEEN 0 AND 3650) NOT VALID;

-- The time of the next search for notices. One node makes each search.
CREATE TABLE control.notice_searches (
    -- True for the hourly search in all workspaces, false for the search of each minute.
    is_complete boolean NOT NULL,
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT notice_searches_pkey PRIMARY KEY (is_complete)
);

INSERT INTO control.notice_searches (is_complete, due_at) VALUES
(true, clock_timestamp() + interval '1 hour'), (false, clock_timestamp() + interval '1 minute');

REVOKE ALL ON control.notice_searches FROM PUBLIC;
GRANT SELECT, UPDATE ON control.notice_searches TO {{runtime_role}};
