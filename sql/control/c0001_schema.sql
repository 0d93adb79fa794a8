-- The tables of the platform: organizations, workspaces and clusters.
CREATE SCHEMA control;

REVOKE ALL ON SCHEMA control FROM PUBLIC;
GRANT USAGE ON SCHEMA control TO {{runtime_role}};
