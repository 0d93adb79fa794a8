-- True after an operator has suspended or archived the workspace: no credential of its organization can undo that.
ALTER TABLE control.workspaces ADD COLUMN held_by_operator boolean NOT NULL DEFAULT false;
