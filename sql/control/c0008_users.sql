-- The users: people who sign in to manage an organization or a workspace. The users of the tenants' own applications
-- are not here.
CREATE TABLE control.users (
    id uuid NOT NULL,
    -- In lower case, because addresses are compared in lower case.
    email text NOT NULL,
    name text,
    -- A memory-hard hash with its parameters and its salt. NULL for a user who has no password yet and cannot sign in.
    password_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_email_form CHECK (email = lower(email) AND char_length(email) BETWEEN 3 AND 254 AND email LIKE '_%@_%'),
    CONSTRAINT users_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    CONSTRAINT users_password_hash_form CHECK (password_hash LIKE '$%')
);

REVOKE ALL ON control.users FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON control.users TO {{runtime_role}};
GRANT UPDATE (name, password_hash, updated_at, disabled_at) ON control.users TO {{runtime_role}};
