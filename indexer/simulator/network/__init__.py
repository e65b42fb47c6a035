"""The content of the simulated network: its accounts, and what they write when. Without sockets."""
