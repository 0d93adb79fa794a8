-- The sessions of members. A session begins with a sign-in. It ends when it is ended, is not refreshed in time, or
-- reaches its maximum age.
CREATE TABLE control.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    -- The organization in which the session acts. The user has a role in it.
    organization_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The end of the session, unless it is refreshed before.
    refresh_until timestamptz NOT NULL,
    -- The latest end of the session, also if it is refreshed.
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- The reason for the end: signed_out, reused, password_changed.
    end_reason text,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES control.users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES control.organizations (id)
        ON DELETE CASCADE,
    CONSTRAINT sessions_end_reason_known CHECK (end_reason IN ('signed_out', 'reused', 'password_changed'))
);

CREATE INDEX sessions_user_id ON control.sessions (user_id);
-- For the deletion of sessions that have ended.
CREATE INDEX sessions_expires_at ON control.sessions (expires_at);

-- The refresh tokens, each of which extends a session once. A used token stays in the table: its second use shows that
-- it was stolen.
CREATE TABLE control.refresh_tokens (
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    -- The HMAC-SHA-256 of the whole token, with the pepper in pepper_id.
    digest bytea NOT NULL,
    pepper_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT refresh_tokens_digest_key UNIQUE (digest),
    CONSTRAINT refresh_tokens_digest_length CHECK (octet_length(digest) = 32),
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES control.sessions (id) ON DELETE CASCADE
);

CREATE INDEX refresh_tokens_session_id ON control.refresh_tokens (session_id);

REVOKE ALL ON control.sessions, control.refresh_tokens FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON control.sessions, control.refresh_tokens TO {{runtime_role}};
GRANT UPDATE (refresh_until, ended_at, end_reason) ON control.sessions TO {{runtime_role}};
GRANT UPDATE (used_at) ON control.refresh_tokens TO {{runtime_role}};
