-- The addresses of the clients whose verifications of each key were accepted, and the day of the last one. The quarantine of a
-- leaked key confines it to those of the last 30 days. A key has at most a thousand rows. A flush of counts adds rows, and
-- changes none of the same day, so that a key in use costs one write a day.
CREATE TABLE IF NOT EXISTS auth.key_addresses (
    key_id uuid NOT NULL,
    -- The address in its canonical form.
    address text NOT NULL,
    -- The day in UTC.
    day date NOT NULL,
    CONSTRAINT key_addresses_pkey PRIMARY KEY (key_id, address)
);

REVOKE ALL ON auth.key_addresses FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.key_addresses TO {{runtime_role}};
