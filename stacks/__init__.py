"""What a deployment is: the stack files, their typed schema, loading and wiring."""

import gc

# The SDK makes a hundred thousand small objects beside a million of its own that live until the end; with Python's
# own thresholds a sixth of a preview goes into looking for garbage among them. Measured for 55 languages: 7.1 s of CPU
# time become 5.9 s, and 259 MB stay 259 MB.
gc.set_threshold(50_000, 20, 50)
