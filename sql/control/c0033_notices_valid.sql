-- A file of its own, because validating a constraint needs a weaker lock than adding it.
ALTER TABLE control.organizations VALIDATE CONSTRAINT organizations_expiry_notice_days_few;
ALTER TABLE control.organizations VALIDATE CONSTRAINT organizations_unused_after_days_range;
