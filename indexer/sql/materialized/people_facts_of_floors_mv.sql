CREATE MATERIALIZED VIEW IF NOT EXISTS people_facts_of_floors_mv TO people_facts AS
SELECT did, 'floor' AS fact, CAST(reason, 'String') AS value, '' AS words, floor AS version
FROM repo_floors
