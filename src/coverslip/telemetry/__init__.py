"""What operators see of a running service or worker: logs and traces."""
