CREATE MATERIALIZED VIEW IF NOT EXISTS blockers_mv TO blockers AS
SELECT subject_did, did, rkey, version
FROM blocks
WHERE deleted = 0 AND subject_did != ''
