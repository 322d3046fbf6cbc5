"""The WSGI entry point: `gunicorn storefront.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from storefront.postgresql.limits import Process, this_process_is
from upstream.limits.threads import waiting_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")

this_process_is(Process.WEB)
# Half of gunicorn's threads (gunicorn.conf.py).
waiting_threads.limit(max(int(os.environ.get("WEB_THREADS") or 16) // 2, 1))
application = get_wsgi_application()
