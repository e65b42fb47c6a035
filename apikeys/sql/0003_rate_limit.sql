-- Calls a minute.
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS rate_limit UInt32 AFTER feeds
