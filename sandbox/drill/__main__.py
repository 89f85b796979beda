"""`python -m sandbox.drill`."""

import sys

from sandbox.drill.cli import main

sys.exit(main())
