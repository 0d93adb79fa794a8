-- A file of its own, because validating the constraint needs a weaker lock than adding it.
ALTER TABLE control.workspaces VALIDATE CONSTRAINT workspaces_metadata_object;
