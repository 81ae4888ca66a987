"""`python -m greenroom`."""

import sys

from greenroom import main

if __name__ == "__main__":
    sys.exit(main())
