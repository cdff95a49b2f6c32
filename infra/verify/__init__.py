"""Reads back what really runs, and says where it is not what the plan says. Nothing is changed."""
