"""Clean-ups over HTTP: the API for programs, and the page for people."""
