"""What operators watch: numbers for Prometheus."""
