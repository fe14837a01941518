"""Interception of HTTP clients (botocore, aiobotocore, requests) while a fake is active. Here and in `server/` alone is I/O."""
