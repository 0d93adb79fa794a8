-- The objects that the first start created. A restart does not create them again, also if they were revoked or deleted.
CREATE TABLE control.seeds (
    name text NOT NULL,
    -- The key, if the object is a key.
    key_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT seeds_pkey PRIMARY KEY (name)
);

REVOKE ALL ON control.seeds FROM PUBLIC;
GRANT SELECT, INSERT ON control.seeds TO {{runtime_role}};
