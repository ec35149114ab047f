"""What the platform is measured by: ``python -m benchmarks`` prints every figure beside its peer of the same run."""
