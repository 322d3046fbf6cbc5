"""Long work as staff sees it: the page of a job, and buttons of lists that ask for one."""

from jobs.admin import jobs  # noqa: F401 - registers it
