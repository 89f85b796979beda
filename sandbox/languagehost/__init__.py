"""The Python language host of the engine the sandbox builds; the stock CLI brings its own and this one stays unused."""
