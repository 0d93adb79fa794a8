-- The organizations, which own workspaces.
CREATE TABLE control.organizations (
    id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    -- The prefix of this organization's tokens. NULL means the built-in prefix.
    token_prefix text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organizations_pkey PRIMARY KEY (id),
    CONSTRAINT organizations_slug_key UNIQUE (slug),
    CONSTRAINT organizations_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    CONSTRAINT organizations_slug_form CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    CONSTRAINT organizations_token_prefix_form CHECK (token_prefix ~ '^[a-z][a-z0-9]{0,3}$')
);

CREATE INDEX organizations_newest ON control.organizations (created_at DESC, id DESC);

REVOKE ALL ON control.organizations FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON control.organizations TO {{runtime_role}};
