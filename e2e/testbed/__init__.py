"""A real Kubernetes for tests, without Docker: built from pinned sources, on loopback, gone without a trace."""
