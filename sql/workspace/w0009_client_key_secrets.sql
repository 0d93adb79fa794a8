-- A secret opens a service key or a client key. The release before this one writes key_id alone, which stays right, and
-- does not see the secrets of client keys, which it could not judge.
--
-- A new column that is NULL everywhere needs no scan for its foreign key. The check is not valid yet: that would scan the
-- table under a lock that readers wait for.
ALTER TABLE auth.key_secrets
    ALTER COLUMN key_id DROP NOT NULL,
    ADD COLUMN client_key_id uuid
        CONSTRAINT key_secrets_client_key_id_fkey REFERENCES auth.client_keys (id) ON DELETE CASCADE,
    ADD
        CONSTRAINT key_secrets_one_owner CHECK (num_nonnulls(key_id, client_key_id) = 1) NOT VALID;
