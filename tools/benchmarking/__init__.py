"""What tools/benchmark.py measures, how, and how it is shown. docs/performance.md explains it."""
