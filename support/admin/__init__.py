"""The staff's side of the help."""

from support.admin import acceptances as acceptances
from support.admin import documents as documents
