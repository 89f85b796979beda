"""States that earlier programs left behind, recorded from a standing plane: the stack's export, the
made-up Azure and the stack file of each.

    make up && eval "$(make --silent env)" && python -m tests.states NAME     # records what stands now

`tests/live/test_states.py` previews every one of them with the program as it is: nothing may be replaced or deleted.
Their secrets are made up, and encrypted with the passphrase of the sandbox.
"""
