"""A cluster that is there, as its API tells it: nodes, what is free on them, and the kubeconfig that leads to it."""
