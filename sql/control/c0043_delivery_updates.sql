-- An attempt writes a row of this table three times. With free space in its page, the lease changes no index. New parts of the table take
-- twice the space.
ALTER TABLE control.webhook_deliveries SET (fillfactor = 50);
