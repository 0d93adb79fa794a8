-- Apart, because the check of what is there needs a weaker lock than its declaration.
ALTER TABLE control.sessions VALIDATE CONSTRAINT sessions_end_reason_known;
