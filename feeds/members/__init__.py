"""The members of a feed, for programs with an API key."""
