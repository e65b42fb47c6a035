CREATE MATERIALIZED VIEW IF NOT EXISTS people_facts_of_profiles_mv TO people_facts AS
SELECT
    did,
    tupleElement(written, 1) AS fact,
    tupleElement(written, 2) AS value,
    if(fact = 'name', arrayStringConcat(atsiteNameWords(display_name), ' '), '') AS words,
    version
FROM actor_profiles
ARRAY JOIN [('name', display_name), ('avatar', avatar), ('hidden', if(has(labels, '!no-unauthenticated'), '1', ''))] AS written
