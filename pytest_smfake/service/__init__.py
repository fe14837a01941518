"""The service: operations, store, limits, clock. It imports the specification and knows nothing of transports."""
