"""What to do about each part that `manage.py doctor` finds not well."""

from typing import Any

from django.utils.translation import gettext_lazy as _

REMEDIES: dict[str, Any] = {
    "database": _("Start PostgreSQL, see that DATABASE_URL names it, and run “manage.py migrate”."),
    "connections": _("Set DATABASE_DIRECT_URL to PostgreSQL's own address; docs/scaling.md says why."),
    "replica": _("Look at the replica's log and disk. The shop sells without it; docs/scaling.md says how it is made."),
    "redis": _("Start Redis and see that REDIS_URL names it. Nothing is lost with it; orders wait meanwhile."),
    "upstream": _("Compare UPSTREAM_URL, UPSTREAM_KEY and UPSTREAM_CURRENCY with the supplier's page; is there money?"),
    "beat": _("Start beat and the workers, or look into their last log lines; restarting them loses nothing."),
    "jobs": _("Look for these tasks in the workers' log: the traceback says why."),
    "audit": _("Run “manage.py audit”: it names each problem. Pause forwarding while money goes missing."),
    "limits": _("Ask the supplier for more calls a second, raise both settings and restart; more workers don't help."),
    "clock": _("Let a time service (chrony, systemd-timesyncd) set the clock of every machine."),
    "e-mail": _("Put the mail server and its password into EMAIL_URL, and try again with “--only e-mail”."),
    "preferences": _("Open Admin → Settings of the shop and save these anew, or put a former value back."),
    "backups": _("Run “manage.py backup”: it says what is in its way. docs/backup.md says how to set it up."),
    "proxy": _("Put a proxy with time-outs in front, and set BEHIND_PROXY and TRUSTED_PROXY_COUNT."),
    "https": _("Set SITE_URL to the https:// address, and leave HTTPS_REDIRECT and HSTS_SECONDS to their defaults."),
    "staff": _("Let them open /admin/ and set up a second factor, or take their access away."),
    "role": _("Give the shop a role of its own: set MIGRATION_DATABASE_URL, then run “manage.py database_roles”."),
    "static": _("Run “manage.py collectstatic” and restart web."),
    "visits": _("Switch SIGN_IN_AS off, or do without ADMIN_HOST."),
    "store": _("Enter name and address at Admin → Settings of the shop."),
    "catalog": _("Open Admin → Sync runs: the last one says what went wrong, or start one."),
    "markup": _("Set a markup at Admin → Settings of the shop."),
    "payments": _("Fill in the variables it names, in the section “Payments” of .env, and restart."),
}
