"""A Kubernetes cluster behind the engine's seam, through its API alone."""
