-- Only the root tenant has keys of many organizations. It lists the keys and their events by organization.
CREATE INDEX service_keys_newest_of_organization ON auth.service_keys (organization_id, created_at DESC, id DESC)
    WHERE organization_id IS NOT NULL;
CREATE INDEX key_events_organization_id ON auth.key_events (organization_id, id DESC) WHERE organization_id IS NOT NULL;
CREATE INDEX key_events_workspace_id ON auth.key_events (workspace_id, id DESC) WHERE workspace_id IS NOT NULL;
