-- A file of its own, because validating a constraint needs a weaker lock than adding it.
ALTER TABLE control.users VALIDATE CONSTRAINT users_identity_whole;
ALTER TABLE control.sessions VALIDATE CONSTRAINT sessions_end_reason_known;
