-- The clusters: PostgreSQL servers with the databases of workspaces. An installation grows past one machine by placing
-- workspaces on further clusters.
CREATE TABLE control.clusters (
    id uuid NOT NULL,
    -- 'primary' is the server of this database.
    name text NOT NULL,
    -- The libpq keywords and values of the role that owns the databases on the cluster, without the password. Empty for
    -- 'primary', which has the keywords of this database.
    conninfo text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT clusters_pkey PRIMARY KEY (id),
    CONSTRAINT clusters_name_key UNIQUE (name),
    CONSTRAINT clusters_name_form CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    CONSTRAINT clusters_primary_is_here CHECK ((name = 'primary') = (conninfo = '')),
    CONSTRAINT clusters_without_password CHECK (conninfo !~* '(^|\s)(password|passfile|sslpassword)\s*=')
);

REVOKE ALL ON control.clusters FROM PUBLIC;
GRANT SELECT ON control.clusters TO {{runtime_role}};
