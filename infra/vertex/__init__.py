"""Vertex AI Model Garden deployments: what is wanted, the calls that make it, and a Pulumi provider around both."""
