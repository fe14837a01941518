"""What the package costs, in ratios that are measured side by side in one run: `tox run -e bench`, or `python -m benchmarks`."""
