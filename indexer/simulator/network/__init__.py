"""What happens in the simulated network: who lives there, what they write and when. Nothing here knows a socket."""
