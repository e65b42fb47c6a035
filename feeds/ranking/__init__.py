"""What a feed is, and how its list of posts is made, stored and cut into pages."""
