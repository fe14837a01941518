"""Where checks of the contract run: the fake, emulators, a recording, the real service."""
