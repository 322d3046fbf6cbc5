"""The shop on many hosts: behind a pool of connections, beside a replica, and with a host that is cut off."""
