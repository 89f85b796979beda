"""What the speech platform stands on inside the cluster: namespaces, secrets, GPU plugin, Redis, ingress controller."""
