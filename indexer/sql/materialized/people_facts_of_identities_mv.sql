CREATE MATERIALIZED VIEW IF NOT EXISTS people_facts_of_identities_mv TO people_facts AS
SELECT did, 'handle' AS fact, lower(handle) AS value, if(value = 'handle.invalid', '', value) AS words, bitShiftLeft(version, 10) AS version
FROM actor_identities
WHERE handle != ''
