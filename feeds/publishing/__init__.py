"""Publishing a feed: the generator record in the publisher's repo, and checks of what the network sees."""
