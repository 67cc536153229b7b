"""`python -m server` is `nudj-mcp`."""

import sys

from server.cli import main

sys.exit(main())
