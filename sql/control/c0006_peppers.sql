-- The peppers in use, each with a check value that is derived from the pepper. A node whose pepper has the right id and
-- the wrong bytes refuses to start. Without the check, it would find no key and store digests that no other node can
-- match. The check value reveals nothing about the pepper.
CREATE TABLE control.peppers (
    id text NOT NULL,
    check_value bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT peppers_pkey PRIMARY KEY (id),
    CONSTRAINT peppers_check_value_length CHECK (octet_length(check_value) = 32)
);

REVOKE ALL ON control.peppers FROM PUBLIC;
GRANT SELECT, INSERT ON control.peppers TO {{runtime_role}};
