-- The feeds that a key covers.
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS feeds Array(LowCardinality(String)) AFTER scopes
