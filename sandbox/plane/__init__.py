"""The processes of the local plane: the supervisor, and the control plane of each managed cluster."""
