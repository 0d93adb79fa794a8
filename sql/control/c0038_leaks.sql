-- The reaction to a leaked token of a workspace's key that the organization has chosen. NULL is the default, which depends on the key.
ALTER TABLE control.organizations ADD COLUMN IF NOT EXISTS leak_action text;
ALTER TABLE control.organizations DROP CONSTRAINT IF EXISTS organizations_leak_action_known;
ALTER TABLE control.organizations
    ADD
        CONSTRAINT organizations_leak_action_known CHECK (leak_action IN ('notify', 'quarantine', 'revoke')) NOT VALID;

-- The number of reports of leaked tokens from an address in an hour, over all nodes. Rows are deleted after two hours.
CREATE TABLE control.leak_reports (
    -- The address of the client, of IPv6 the first 64 bits.
    address text NOT NULL,
    -- The start of the hour, in UTC.
    hour timestamptz NOT NULL,
    count integer NOT NULL,
    CONSTRAINT leak_reports_pkey PRIMARY KEY (address, hour),
    CONSTRAINT leak_reports_count_positive CHECK (count > 0)
);

REVOKE ALL ON control.leak_reports FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON control.leak_reports TO {{runtime_role}};
