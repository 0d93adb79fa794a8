-- Apart, because the check of what is there needs a weaker lock than its declaration.
ALTER TABLE auth.key_events VALIDATE CONSTRAINT key_events_type_form;
