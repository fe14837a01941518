"""Bytes and calls: HTTP, the JSON protocol, the runtime's form, signatures. No I/O."""
