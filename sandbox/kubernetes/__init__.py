"""The Kubernetes provider stand-in: behaves towards the engine as pulumi-kubernetes 4.34 does."""
