"""`python -m meterseal_edge settings.json`."""

import sys

from meterseal_edge.main import main

sys.exit(main())
