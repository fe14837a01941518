"""Define the targets of checks: the fake, emulators, a recording, the real service."""
