-- The events that have not been turned into deliveries of webhooks. A trigger adds an event in the transaction of its
-- change, and a node deletes it after it has written the deliveries in the control database. A row that is committed
-- late only appears late, so no reader has to compare transaction ids.
CREATE TABLE IF NOT EXISTS auth.event_outbox (
    -- The order of the events. The events of a key follow each other, because a change locks the key.
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    CONSTRAINT event_outbox_pkey PRIMARY KEY (sequence)
);

-- The function runs as the owner: the runtime role can take events out, and can add none by hand.
CREATE OR REPLACE FUNCTION auth.add_event_to_outbox() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog
AS $$
BEGIN
    INSERT INTO auth.event_outbox (event_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS key_events_to_outbox ON auth.key_events;
CREATE TRIGGER key_events_to_outbox AFTER INSERT ON auth.key_events
FOR EACH ROW EXECUTE FUNCTION auth.add_event_to_outbox();

REVOKE ALL ON FUNCTION auth.add_event_to_outbox() FROM PUBLIC;
REVOKE ALL ON auth.event_outbox FROM PUBLIC;
GRANT SELECT, DELETE ON auth.event_outbox TO {{runtime_role}};
