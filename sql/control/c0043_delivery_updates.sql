-- mortise:no-transaction
-- An attempt writes a row of this table three times. With free space in its page, the lease changes no index.
ALTER TABLE control.webhook_deliveries SET (fillfactor = 50);
-- mortise:next
-- The order of the rows is nearly that of their creation, so the deletion of old deliveries needs the range of each page alone.
DROP INDEX CONCURRENTLY IF EXISTS control.webhook_deliveries_created_at;
-- mortise:next
DROP INDEX CONCURRENTLY IF EXISTS control.webhook_deliveries_created;
-- mortise:next
CREATE INDEX CONCURRENTLY webhook_deliveries_created ON control.webhook_deliveries USING brin (created_at);
