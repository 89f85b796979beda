"""Commands for whoever runs the platform: `python -m operations`. Thin over pure functions; they make no resource."""
