"""`python -m bot` is `greenroom`."""

import sys

from bot.cli import main

sys.exit(main())
