"""The tests."""

import gc

# A graph of the program is a hundred thousand small objects over the SDK's own million, which live until the end: with
# Python's thresholds a third of the time goes into looking for garbage among them.
gc.set_threshold(50_000, 20, 50)
