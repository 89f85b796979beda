"""What a deployment is: the stack files, their typed schema, loading and wiring."""
