-- The leases of the nodes that answer verifications from memory, and the fences around changes (decision 0014). Each
-- cluster has one database with this schema, on the same server as the databases of its workspaces.
CREATE SCHEMA fence;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA fence FROM PUBLIC;
GRANT USAGE ON SCHEMA fence TO {{runtime_role}};
