"""Usage of the feeds: page requests, readers, and the interactions that readers' apps report."""
