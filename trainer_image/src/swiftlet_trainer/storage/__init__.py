"""What a pod fetches by itself, one module per URI scheme; what the control plane knows of these: swiftlet.storage."""
