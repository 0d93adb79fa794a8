-- A secret belongs to a service key or to a client key. The release before this one writes key_id alone, which stays
-- valid. It does not see the secrets of client keys, which it could not decide about.
--
-- A new column that is NULL in every row needs no scan for its foreign key. The check is not validated here, because
-- that would scan the table under a lock for which readers wait.
ALTER TABLE auth.key_secrets
    ALTER COLUMN key_id DROP NOT NULL,
    ADD COLUMN client_key_id uuid
        CONSTRAINT key_secrets_client_key_id_fkey REFERENCES auth.client_keys (id) ON DELETE CASCADE,
    ADD
        CONSTRAINT key_secrets_one_owner CHECK (num_nonnulls(key_id, client_key_id) = 1) NOT VALID;
