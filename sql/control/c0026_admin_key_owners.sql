-- Organizations can be deleted. An admin key that is created at the same time either goes with its organization, or is
-- refused.
ALTER TABLE auth.service_keys DROP CONSTRAINT IF EXISTS service_keys_organization_id_fkey;
ALTER TABLE auth.service_keys
    ADD
        CONSTRAINT service_keys_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES control.organizations (id) NOT VALID;

GRANT DELETE ON control.organizations TO {{runtime_role}};
