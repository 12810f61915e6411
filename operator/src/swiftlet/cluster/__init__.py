"""A cluster as a person's command sees it: over a kubeconfig, with that person's own rights."""
