-- The schema of a tenant: keys, their secrets, their usage and their history.
CREATE SCHEMA auth;

-- What the service connects as may use what is here, and make nothing.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA auth FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO {{runtime_role}};
