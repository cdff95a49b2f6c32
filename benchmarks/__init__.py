"""Reproducible measurements: `make bench` prints a table; README.md beside this file holds the last one."""
