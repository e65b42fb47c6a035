"""What every HTTP service shares: authentication, error bodies, body limits, readiness."""
