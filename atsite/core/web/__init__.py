"""What every HTTP service shares: who calls, error bodies, limits on bodies, readiness."""
