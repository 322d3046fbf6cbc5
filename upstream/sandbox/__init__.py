"""A stand-in HstockPlus server: its own process, the documented API over real HTTP, faults by name. No Django."""
