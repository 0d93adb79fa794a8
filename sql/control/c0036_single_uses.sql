-- What browsers and programs can present once, such as the state of a sign-in with an identity provider. The first use inserts a
-- row, and a second one, also on another node, finds it.
CREATE TABLE control.single_uses (
    -- A random text, in which the first word is the purpose.
    id text NOT NULL,
    -- The end of what was used. Afterwards it is refused without the row.
    expires_at timestamptz NOT NULL,
    CONSTRAINT single_uses_pkey PRIMARY KEY (id),
    CONSTRAINT single_uses_id_length CHECK (char_length(id) BETWEEN 1 AND 255)
);

CREATE INDEX single_uses_expires_at ON control.single_uses (expires_at);

REVOKE ALL ON control.single_uses FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON control.single_uses TO {{runtime_role}};
-- `FOR UPDATE SKIP LOCKED` of the deletion needs the right to change a column.
GRANT UPDATE (expires_at) ON control.single_uses TO {{runtime_role}};
