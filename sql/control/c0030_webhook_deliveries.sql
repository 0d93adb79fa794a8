-- The deliveries of events to webhooks. A delivery is written once for a webhook and an event.
CREATE TABLE control.webhook_deliveries (
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    -- The event in the database that it comes from. It is the same in all attempts, as the header webhook-id.
    event_id uuid NOT NULL,
    type text NOT NULL,
    -- The key, workspace or organization of the event. The first attempts for one subject follow the sequence.
    subject_id uuid NOT NULL,
    sequence bigint NOT NULL,
    -- The bytes that are signed and sent.
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- NULL until an attempt has ended.
    first_attempt_at timestamptz,
    attempt_count integer NOT NULL DEFAULT 0,
    -- NULL after the last attempt.
    next_attempt_at timestamptz,
    -- The node that makes an attempt, and the end of its lease. Another node takes over then.
    leased_by uuid,
    leased_until timestamptz,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES control.webhooks (id)
        ON DELETE CASCADE,
    CONSTRAINT webhook_deliveries_event_key UNIQUE (webhook_id, event_id),
    CONSTRAINT webhook_deliveries_attempt_count_positive CHECK (attempt_count >= 0)
);

CREATE INDEX webhook_deliveries_newest_of_webhook
    ON control.webhook_deliveries (webhook_id, created_at DESC, id DESC);
-- For the attempts that are due.
CREATE INDEX webhook_deliveries_due ON control.webhook_deliveries (webhook_id, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;
-- For the order of first attempts.
CREATE INDEX webhook_deliveries_untried ON control.webhook_deliveries (webhook_id, subject_id, sequence)
    WHERE first_attempt_at IS NULL;
-- For the deletion of old deliveries.
CREATE INDEX webhook_deliveries_created_at ON control.webhook_deliveries (created_at);

-- The attempts of a delivery.
CREATE TABLE control.webhook_attempts (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    -- NULL without an answer.
    status_code integer,
    -- The first KiB of the answer.
    response text,
    error text,
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (delivery_id, number),
    CONSTRAINT webhook_attempts_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES control.webhook_deliveries (id)
        ON DELETE CASCADE,
    CONSTRAINT webhook_attempts_duration_positive CHECK (duration_ms >= 0)
);

REVOKE ALL ON control.webhook_deliveries, control.webhook_attempts FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON control.webhook_deliveries TO {{runtime_role}};
GRANT SELECT, INSERT, DELETE ON control.webhook_attempts TO {{runtime_role}};
