"""The fake behind a URL: the command `smfake serve` and the fixture `smfake_server`."""
