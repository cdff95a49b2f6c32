"""What runs on a machine that is reached by SSH: Python 3.11's standard library alone, and nothing of this project."""
