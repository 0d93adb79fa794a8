-- The schema of a workspace: its keys, their secrets, their usage and their events.
CREATE SCHEMA auth;

-- The runtime role can use the objects of the schema, and can create none.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA auth FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO {{runtime_role}};
