-- The session issuers. The users of an organization's own application manage their keys with the sessions of its
-- issuer.
CREATE TABLE control.session_issuers (
    id uuid NOT NULL,
    -- The exact claim `iss`. It belongs to one organization: a session could not tell two organizations apart.
    issuer text NOT NULL,
    organization_id uuid NOT NULL,
    -- The source of the public keys: a URL, a file on every node, or this column.
    jwks_url text,
    jwks_file text,
    jwks jsonb,
    algorithms text[] NOT NULL,
    -- The accepted values of the claim `azp`. Empty if the claim is not checked.
    authorized_parties text[] NOT NULL,
    -- The roles in the application's own organizations that can read the keys, and that can also create and revoke
    -- them.
    read_roles text[] NOT NULL,
    manage_roles text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT session_issuers_pkey PRIMARY KEY (id),
    CONSTRAINT session_issuers_issuer_key UNIQUE (issuer),
    CONSTRAINT session_issuers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES control.organizations (id)
        ON DELETE CASCADE,
    CONSTRAINT session_issuers_issuer_length CHECK (char_length(issuer) BETWEEN 1 AND 2048),
    CONSTRAINT session_issuers_one_source CHECK (num_nonnulls(jwks_url, jwks_file, jwks) = 1),
    CONSTRAINT session_issuers_algorithms_known CHECK (
        cardinality(algorithms) > 0
        AND algorithms <@ '{RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA}'::text[]
    )
);

CREATE INDEX session_issuers_newest_of_organization
    ON control.session_issuers (organization_id, created_at DESC, id DESC);

REVOKE ALL ON control.session_issuers FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON control.session_issuers TO {{runtime_role}};
