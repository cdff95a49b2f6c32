"""What watches a running endpoint: alerts, a dashboard and the objects that carry them. Pure: a plan comes in."""
