-- Who issues the sessions of an organization's own application, so that its users can manage their keys with them.
CREATE TABLE control.session_issuers (
    id uuid NOT NULL,
    -- The claim `iss`, to the letter. It belongs to one organization: two that trust it could not be told apart.
    issuer text NOT NULL,
    organization_id uuid NOT NULL,
    -- Where the public keys are: at a URL, in a file of every node, or here.
    jwks_url text,
    jwks_file text,
    jwks jsonb,
    algorithms text[] NOT NULL,
    -- What the claim `azp` may be; empty where it is not looked at.
    authorized_parties text[] NOT NULL,
    -- The roles of the application's own organizations that may see, and that may also make and revoke, their keys.
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
