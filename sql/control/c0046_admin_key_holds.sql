-- The restrictions of an admin key that an operator set, by the name of the setting: {"enabled": "platform"}. The organization can tighten
-- them and not loosen them. The column is missing in the databases of workspaces, where operators change no key.
ALTER TABLE auth.service_keys ADD COLUMN IF NOT EXISTS holds jsonb NOT NULL DEFAULT '{}';
