-- A file of its own, because validating the constraint needs a weaker lock than adding it.
ALTER TABLE auth.service_keys VALIDATE CONSTRAINT service_keys_organization_id_fkey;
