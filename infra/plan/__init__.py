"""Decisions: spec and catalogue in, `ServingPlan` out. No I/O, no clock, no environment."""
