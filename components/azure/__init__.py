"""Azure resources: network, identity, address, cluster, node pools."""
