-- The owner makes and drops what rows of control.workspaces name, so the role that may only insert must not be able to
-- ask for anything but a creation, nor for a database that is not the ref's own: a row in state 'deleting' would drop
-- whatever it names.
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

-- '_w_' and the ref, behind the installation's prefix.
ALTER TABLE control.workspaces ADD
    CONSTRAINT workspaces_database_is_the_refs CHECK ("right"(database, 11) = '_w_' || ref) NOT VALID;
