"""`python -m switch_operator`."""

import os
import sys

from switch_operator.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
