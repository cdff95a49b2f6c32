"""A simulated Google Kubernetes Engine for a laptop: the unchanged program runs against it, with a real engine."""
