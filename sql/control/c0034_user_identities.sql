-- The subject of a user at an identity provider (OpenID Connect). A sign-in with the provider is for the user of its issuer and
-- subject, whatever address the provider names later. NULL for a user who has not signed in with a provider.
ALTER TABLE control.users ADD COLUMN IF NOT EXISTS identity_issuer text;
ALTER TABLE control.users ADD COLUMN IF NOT EXISTS identity_subject text;
ALTER TABLE control.users ADD COLUMN IF NOT EXISTS identity_bound_at timestamptz;
ALTER TABLE control.users
    ADD
        CONSTRAINT users_identity_whole CHECK (
            (identity_issuer IS NULL) = (identity_subject IS NULL) AND (identity_issuer IS NULL) = (identity_bound_at IS NULL)
        ) NOT VALID;
-- One user for each subject. The columns are new, so the index is empty and built at once.
CREATE UNIQUE INDEX users_identity ON control.users (identity_issuer, identity_subject) WHERE identity_issuer IS NOT NULL;
GRANT UPDATE (identity_issuer, identity_subject, identity_bound_at) ON control.users TO {{runtime_role}};

-- Adds the reason 'unbound': an owner took the subject from the user.
ALTER TABLE control.sessions DROP CONSTRAINT IF EXISTS sessions_end_reason_known;
ALTER TABLE control.sessions
    ADD
        CONSTRAINT sessions_end_reason_known CHECK (end_reason IN ('signed_out', 'reused', 'password_changed', 'removed', 'unbound')) NOT VALID;
