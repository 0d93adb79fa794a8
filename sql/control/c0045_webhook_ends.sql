-- A webhook can have more deliveries than one statement can delete in its time. So its deletion marks the row, and its deliveries follow in
-- batches. Nobody sees a marked webhook.
ALTER TABLE control.webhooks ADD COLUMN deleted_at timestamptz;
-- A node of an earlier release does not know the mark. To it the webhook is disabled, and this rule keeps it so. No older row has a mark,
-- so there is nothing to validate.
ALTER TABLE control.webhooks
    ADD
        CONSTRAINT webhooks_disabled_if_deleted CHECK (deleted_at IS NULL OR disabled_at IS NOT NULL) NOT VALID;

CREATE INDEX webhooks_deleted ON control.webhooks (id) WHERE deleted_at IS NOT NULL;

-- The number of test events in the hour that begins at the time, which bounds them.
ALTER TABLE control.webhooks ADD COLUMN tests_since timestamptz, ADD COLUMN test_count integer NOT NULL DEFAULT 0;
