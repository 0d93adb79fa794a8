-- The pairs of adjacent characters of a text, by which an index finds the texts that contain another text: they have all of
-- its pairs. No pair is left out, so the index never hides a key, and the search compares the few keys that it finds.
--
-- PostgreSQL's own extension for this is not installed everywhere, and a backup could not be restored without it.
--
-- The cost keeps PostgreSQL from computing the pairs of many keys where it does not use the index.
CREATE FUNCTION auth.character_pairs(content text) RETURNS text[]
LANGUAGE plpgsql
IMMUTABLE STRICT PARALLEL SAFE
COST 1000
SET search_path = pg_catalog
AS $$
DECLARE
    characters text[] := string_to_array(content, NULL);
BEGIN
    RETURN ARRAY(SELECT a || b FROM unnest(characters, characters[2:]) AS pair (a, b) WHERE b IS NOT NULL);
END
$$;

REVOKE ALL ON FUNCTION auth.character_pairs(text) FROM PUBLIC;
-- Whoever inserts a key computes the entries of the index.
GRANT EXECUTE ON FUNCTION auth.character_pairs(text) TO {{runtime_role}};
