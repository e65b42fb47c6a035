"""The project against the official servers of the AT Protocol (PLC, PDS, AppView) on loopback."""
