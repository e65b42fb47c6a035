"""The AT Protocol without network, framework or clock: names, keys and times as the specifications write them. Pure."""
