"""A Jetstream on this machine: a recorded file or an invented network, served as the real one serves.

    source (recorded | live | memory) -> Batch of lines -> filters -> frames -> socket (server)

`server.SimulatedJetstream(source)` is the whole of it for asyncio, `threaded.simulated_jetstream(source)` for other
code, `manage.py simulate_jetstream` for the command line. The invented network is described in `network.py`; who
its accounts are, with their keys, is served beside the stream (identities.py, directory.py).
"""
