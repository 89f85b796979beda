"""The embedded local plane: a real engine and API server, with Azure, nodes and the vendor's controller played.

Nothing in this package imports the program (`components`, `stacks`), and nothing in the program knows of it.
"""
