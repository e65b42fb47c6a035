"""How the admin writes times: as the overview and the feeds' pages do."""
