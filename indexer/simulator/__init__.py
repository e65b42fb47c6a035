"""A Jetstream on this machine: a recorded file or a simulated network, served as the real one serves.

    network/   the content: accounts, posts, words, the time of each event, repos, identities
    serving/   the servers: event source (recorded | network) -> lines -> filters -> frames -> socket

`serving.server.SimulatedJetstream(source)` is for asyncio, `manage.py simulate_jetstream` for the command line.
"""
