"""The resources of the platform as Pulumi components; nothing here reads configuration, a clock or the network."""
