-- The platform's own tables: who owns which workspace, and where it lives.
CREATE SCHEMA control;

REVOKE ALL ON SCHEMA control FROM PUBLIC;
GRANT USAGE ON SCHEMA control TO {{runtime_role}};
