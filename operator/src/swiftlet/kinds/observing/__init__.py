"""What Jobs and pods, their controllers, the scheduler and queues say: observed, never asked for."""
