"""What the operator tells: metrics, health, logs, Kubernetes events; and what its pods tell it: live progress."""
