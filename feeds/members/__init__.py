"""The HTTP API for members and usage of feeds, with API keys."""
