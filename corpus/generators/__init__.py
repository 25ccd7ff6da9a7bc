"""Generators of synthetic images: one module per format with its table of cases, and helpers."""
