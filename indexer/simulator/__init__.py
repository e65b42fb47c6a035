"""A Jetstream on this machine: a recorded file or an invented network, served as the real one serves.

    network/   what happens: accounts, posts, words, the time of each event, repos, identities
    serving/   how other programs see it: source (recorded | network | memory) -> lines -> filters -> frames -> socket

`serving.server.SimulatedJetstream(source)` is the whole of it for asyncio,
`serving.server_thread.simulated_jetstream(source)` for other code, `manage.py simulate_jetstream` for the command line.
"""
