CREATE MATERIALIZED VIEW IF NOT EXISTS people_facts_of_accounts_mv TO people_facts AS
SELECT did, 'active' AS fact, toString(active) AS value, '' AS words, bitShiftLeft(version, 10) AS version
FROM actor_accounts
