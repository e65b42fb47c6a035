"""The generator record in the publisher's repo, and what the network sees of a feed."""
