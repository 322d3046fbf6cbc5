"""`manage.py demo`: the whole shop on one machine, against the sandbox, with nothing installed beside Python."""
