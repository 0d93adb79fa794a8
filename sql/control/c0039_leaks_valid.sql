-- A file of its own, because validating a constraint needs a weaker lock than adding it.
ALTER TABLE control.organizations VALIDATE CONSTRAINT organizations_leak_action_known;
