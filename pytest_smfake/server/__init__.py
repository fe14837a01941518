"""`smfake serve` and the fixture `smfake_server`: the fake at an address."""
