-- Days whose raw events are to be put through the views once more, because a rule changed (indexer.index.rereading). One row for each reason and day,
-- left by the migration that changed the rule; done = 1 when it was done. Kept as a record of what was done when.
CREATE TABLE IF NOT EXISTS rereadings
(
    reason     LowCardinality(String),
    day        Date,
    done       UInt8 DEFAULT 0,
    changed_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY (reason, day)
