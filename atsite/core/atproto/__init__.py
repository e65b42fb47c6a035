"""The AT Protocol's data formats: names, keys and times as specified; no network, framework or clock. Pure."""
