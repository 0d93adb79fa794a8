-- For the deletion of old rows. The table is new, so the index is built at once.
CREATE INDEX IF NOT EXISTS key_addresses_day ON auth.key_addresses (day);
