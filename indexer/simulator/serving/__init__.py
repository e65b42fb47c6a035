"""The simulated network as other programs reach it: the Jetstream websocket, the PLC directory, PDS and AppView."""
