"""`python -m sandbox.drill.ladder`."""

from sandbox.drill.ladder.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
