"""The shop's numbers for Prometheus: what processes count is added up in Redis, how things stand is read when asked."""
