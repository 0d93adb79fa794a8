-- Apart, because the check of what is there needs a weaker lock than its declaration.
ALTER TABLE control.workspaces VALIDATE CONSTRAINT workspaces_metadata_object;
