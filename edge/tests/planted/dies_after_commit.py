"""An honest edge whose power fails right after its third commit, before custody: nothing may be counted twice."""

import sys

from edge.tests.planted.power import fail_at_commit

from meterseal_edge.main import main

fail_at_commit(3, before=False)
sys.exit(main())
