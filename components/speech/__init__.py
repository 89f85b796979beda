"""The vendor's platform, one module per service, and the one pod builder."""
