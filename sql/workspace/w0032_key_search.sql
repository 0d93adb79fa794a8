-- mortise:no-transaction
-- For the search for keys by a part of the name or the description, in any case. The expression is that of the query.
--
-- New entries are collected in a list that every search reads, so its size is limited, in kilobytes. PostgreSQL needs no
-- statistics for the index, and would compute the pairs of many keys for them.
DROP INDEX CONCURRENTLY IF EXISTS auth.service_keys_search;
-- mortise:next
CREATE INDEX CONCURRENTLY service_keys_search ON auth.service_keys USING gin (
    (auth.character_pairs(lower(name) || E'\n' || lower(coalesce(description, '')))) COLLATE "C"
) WITH (fastupdate = on, gin_pending_list_limit = 256);
-- mortise:next
ALTER INDEX auth.service_keys_search ALTER COLUMN 1 SET STATISTICS 0;
-- mortise:next
DROP INDEX CONCURRENTLY IF EXISTS auth.client_keys_search;
-- mortise:next
CREATE INDEX CONCURRENTLY client_keys_search ON auth.client_keys USING gin (
    (auth.character_pairs(lower(name) || E'\n' || lower(coalesce(description, '')))) COLLATE "C"
) WITH (fastupdate = on, gin_pending_list_limit = 256);
-- mortise:next
ALTER INDEX auth.client_keys_search ALTER COLUMN 1 SET STATISTICS 0;
