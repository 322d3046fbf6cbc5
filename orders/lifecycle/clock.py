"""The clock of operations that last: they ask it again after each call upstream. All others take `now`."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
