-- What a first start made once. What was revoked or deleted since is not made again by a restart.
CREATE TABLE control.seeds (
    name text NOT NULL,
    -- The key that was made, where it was a key.
    key_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT seeds_pkey PRIMARY KEY (name)
);

REVOKE ALL ON control.seeds FROM PUBLIC;
GRANT SELECT, INSERT ON control.seeds TO {{runtime_role}};
