"""Who may act on a clean-up: signing in, the tokens of jobs and of sessions at a PDS, limits, and the audit."""
