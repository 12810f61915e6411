"""A small Kubernetes on one machine: an object store, controllers, and a kubelet that runs pods as processes."""
