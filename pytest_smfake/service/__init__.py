"""The service: its operations, resources, limits, faults and clock. It uses the rules and knows nothing of HTTP."""
