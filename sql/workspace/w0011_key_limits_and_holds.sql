-- The id under which the uses of a key count for its rate limits: that of the first key in a chain of replacements.
-- NULL means the key's own id. Without it, each replacement would refill the limits.
ALTER TABLE auth.service_keys ADD COLUMN IF NOT EXISTS limit_id uuid;
ALTER TABLE auth.client_keys ADD COLUMN IF NOT EXISTS limit_id uuid;

-- The restrictions that a caller of a higher rank set, by the name of the setting: {"allowed_ips": "administrator"}. The
-- key's own subject can tighten them and not loosen them.
ALTER TABLE auth.client_keys ADD COLUMN IF NOT EXISTS holds jsonb NOT NULL DEFAULT '{}';
