-- A file of its own, because validating the constraint needs a weaker lock than adding it.
ALTER TABLE control.sessions VALIDATE CONSTRAINT sessions_end_reason_known;
