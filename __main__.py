"""`python -m gradling`: the tour."""

from .tour import main

if __name__ == "__main__":
    raise SystemExit(main())
