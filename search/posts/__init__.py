"""Search of posts: what a query means, the statement it becomes, and its pages."""
