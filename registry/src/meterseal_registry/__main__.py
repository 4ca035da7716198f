"""`python -m meterseal_registry settings.json`."""

import sys

from meterseal_registry.main import main

sys.exit(main())
