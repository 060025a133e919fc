"""`python -m dmask` is `dmask`."""

import sys

from dmask.cli import main

sys.exit(main())
