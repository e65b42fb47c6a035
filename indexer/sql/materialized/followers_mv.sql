CREATE MATERIALIZED VIEW IF NOT EXISTS followers_mv TO followers AS
SELECT subject_did, did, rkey, version
FROM follows
WHERE deleted = 0 AND subject_did != ''
