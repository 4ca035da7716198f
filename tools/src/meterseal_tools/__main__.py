"""`python -m meterseal_tools`: the same as `meterseal`."""

from meterseal_tools.cli import main

main()
