"""What a feed is and how its list of posts is made, kept and cut into pages."""
