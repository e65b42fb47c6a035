-- Published copy of the clean-up jobs of repos, for statistics. Credentials and plans stay in the relational store.
CREATE TABLE IF NOT EXISTS repo_cleanup_jobs
(
    job_id          String,
    did             String,
    state           LowCardinality(String),
    collections     Array(LowCardinality(String)),
    requested_by    String,
    records_planned UInt64,
    records_deleted UInt64,
    created_at      DateTime64(6, 'UTC'),
    finished_at     Nullable(DateTime64(6, 'UTC')),
    time_us         UInt64,
    deleted         UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(time_us)
ORDER BY job_id
