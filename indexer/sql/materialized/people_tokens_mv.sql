CREATE MATERIALIZED VIEW IF NOT EXISTS people_tokens_mv TO people_tokens AS
SELECT token, did, CAST((version, words), 'Tuple(version UInt64, words String)') AS known
FROM people_facts
ARRAY JOIN atsiteNameTokens(words) AS token
WHERE words != ''
