"""The tests."""

import stacks as stacks  # whose garbage collector suits the tests too: they run the program hundreds of times
