"""`python -m oleander`."""

import sys

from oleander.cli import main

sys.exit(main())
