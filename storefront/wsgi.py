"""The WSGI entry point: `gunicorn storefront.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from storefront.configuration.web_server import read_web_server
from storefront.postgresql.limits import Process, this_process_is
from upstream.limits.threads import waiting_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")

this_process_is(Process.WEB)
waiting_threads.limit(max(read_web_server().threads // 2, 1))  # half of gunicorn's
application = get_wsgi_application()
