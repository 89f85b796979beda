"""What the program relies on of the Kubernetes provider, shown on whichever provider the engine finds."""
