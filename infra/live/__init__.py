"""What Google offers today of a managed endpoint, and where that differs from its plan. It reads alone."""
