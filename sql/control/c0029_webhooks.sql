-- The webhooks of organizations: the addresses that are told of events.
CREATE TABLE control.webhooks (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    -- The only workspace whose events are sent. NULL sends the events of the whole organization. It is no foreign key,
    -- because the webhook is told of the workspace's deletion.
    workspace_id uuid,
    url text NOT NULL,
    description text,
    -- Types such as key.revoked, key.* and *.
    event_types text[] NOT NULL,
    -- NULL while the webhook is enabled.
    disabled_at timestamptz,
    disabled_reason text,
    -- The signing secret is not stored. It is derived from this nonce and a secret of the secrets file.
    secret_id text NOT NULL,
    secret_nonce bytea NOT NULL,
    -- The nonce of the first secret, by which a repeated request for the webhook notices that the secret was rotated.
    first_secret_nonce bytea NOT NULL,
    -- The replaced secret, which signs too until its end.
    old_secret_id text,
    old_secret_nonce bytea,
    old_secret_ends_at timestamptz,
    -- The first failed attempt since the last attempt that succeeded.
    failing_since timestamptz,
    last_delivery_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhooks_pkey PRIMARY KEY (id),
    CONSTRAINT webhooks_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES control.organizations (id)
        ON DELETE CASCADE,
    CONSTRAINT webhooks_url_length CHECK (char_length(url) BETWEEN 1 AND 2048),
    CONSTRAINT webhooks_description_length CHECK (char_length(description) <= 2000),
    CONSTRAINT webhooks_event_types_some CHECK (cardinality(event_types) BETWEEN 1 AND 50),
    CONSTRAINT webhooks_reason_if_disabled CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    CONSTRAINT webhooks_nonce_length CHECK (octet_length(secret_nonce) = 32 AND octet_length(old_secret_nonce) = 32),
    CONSTRAINT webhooks_old_secret_whole CHECK (
        num_nonnulls(old_secret_id, old_secret_nonce, old_secret_ends_at) IN (0, 3)
    )
);

CREATE INDEX webhooks_newest_of_organization ON control.webhooks (organization_id, created_at DESC, id DESC);

REVOKE ALL ON control.webhooks FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON control.webhooks TO {{runtime_role}};
