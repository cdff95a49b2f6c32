"""Calls a running endpoint as its callers do, and says which promises of the plan it does not keep."""
