"""The HstockPlus API: wire types, errors, the HTTP client, and the sandbox that stands in for the real server."""
