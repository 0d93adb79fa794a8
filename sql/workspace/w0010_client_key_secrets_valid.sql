-- Scans the table while other sessions read and write.
ALTER TABLE auth.key_secrets VALIDATE CONSTRAINT key_secrets_one_owner;
