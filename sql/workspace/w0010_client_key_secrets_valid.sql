-- Scans, while everybody reads and writes.
ALTER TABLE auth.key_secrets VALIDATE CONSTRAINT key_secrets_one_owner;
