#!/usr/bin/env python
"""Django's command line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
    if sys.argv[1:2] == ["demo"]:
        # The demo brings its own settings, and needs no .env; they have to be there before Django looks.
        from storefront.demo.plan import prepare

        prepare(sys.argv[2:])
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
