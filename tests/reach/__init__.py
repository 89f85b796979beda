"""Which fields of which objects a key reaches: found by running the program with the key changed.

`python -m tests.reach` writes `operations/reached.yaml`, from which the reference is made; `tests/unit/test_reach.py`
holds it against the program, many keys in one run.
"""
