"""What an attempt is made as: one module for each kind of workload."""
