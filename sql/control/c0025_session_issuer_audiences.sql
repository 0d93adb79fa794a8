-- The accepted values of the claim `aud`. Empty if a token must have none.
ALTER TABLE control.session_issuers ADD COLUMN IF NOT EXISTS audiences text[] NOT NULL DEFAULT '{}';
