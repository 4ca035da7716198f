"""An honest edge whose power fails right before its third commit. Nothing may be lost by that."""

import sys

from edge.tests.planted.power import fail_at_commit

from meterseal_edge.main import main

fail_at_commit(3, before=True)
sys.exit(main())
