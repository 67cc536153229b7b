"""`python -m server` is `nudj-mcp`."""

import sys

from server.cli.command_line import main

sys.exit(main())
