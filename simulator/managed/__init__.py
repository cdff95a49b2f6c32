"""Managed endpoints on loopback: Vertex AI and its Model Garden, and the Gemini API, as their clients know them."""
