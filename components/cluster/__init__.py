"""What the speech platform stands on inside the cluster: namespace, secrets, GPU plugin, Redis."""
