-- did -> number of accounts followed. `WHERE did = …` reaches the primary key through the view.
CREATE VIEW IF NOT EXISTS following_counts AS
SELECT did, uniqExact(subject_did) AS following
FROM follows FINAL
WHERE deleted = 0
GROUP BY did
