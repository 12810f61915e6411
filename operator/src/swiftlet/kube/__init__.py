"""Kubernetes as the operator sees it: client, cache, work queue, lease, and the loop that carries out decisions."""
