"""Benchmarks of the service: the real one, started as `./run serve` starts it."""
