-- The owner creates and drops the databases in control.workspaces. So the runtime role, which can insert rows, must not
-- be able to ask for anything but a creation, or for a database of another ref: a row in state 'deleting' would drop
-- the database that it names.
CREATE FUNCTION control.refuse_other_beginnings() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION 'a workspace begins as creating' USING ERRCODE = 'insufficient_privilege';
END
$$;

REVOKE ALL ON FUNCTION control.refuse_other_beginnings() FROM PUBLIC;

CREATE TRIGGER workspaces_begin_as_creating BEFORE INSERT ON control.workspaces
FOR EACH ROW WHEN (NEW.state <> 'creating' OR NEW.target_state IS NOT NULL OR NEW.archived_at IS NOT NULL)
EXECUTE FUNCTION control.refuse_other_beginnings();

-- The name of a database ends with '_w_' and the ref, behind the prefix of the installation.
ALTER TABLE control.workspaces ADD
    CONSTRAINT workspaces_database_is_the_refs CHECK ("right"(database, 11) = '_w_' || ref) NOT VALID;
