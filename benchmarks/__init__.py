"""Benchmarks: `./run bench [NAME...]`; each prints Markdown and saves it under results/."""
