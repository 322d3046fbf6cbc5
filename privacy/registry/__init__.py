"""Every table that holds something about customers: what they get to read of it, and what deleting the account does.

`tests/privacy/test_registry.py` walks all models: a new one that leads to an account has to be decided upon here.
"""

from privacy.registry.account_tables import ACCOUNT_TABLES
from privacy.registry.money_tables import MONEY_TABLES
from privacy.registry.order_tables import ORDER_TABLES
from privacy.registry.other_tables import OTHER_TABLES
from privacy.registry.support_tables import SUPPORT_TABLES

TABLES = (*ACCOUNT_TABLES, *ORDER_TABLES, *MONEY_TABLES, *OTHER_TABLES, *SUPPORT_TABLES)
# Relations to accounts, and to work of the staff, of tables that hold nothing about customers: who did something, or
# in which job.
ACTS_OF_STAFF = {
    "accounts.DenyRule.created_by",
    "catalog.EditedService.job",
    "catalog.ExchangeRate.set_by",
    "catalog.ServiceFilePart.job",
    "catalog.SyncRun.decided_by",
    "orders.ForwardingPause.ended_by",
    "orders.UpstreamEntry.created_by",
    "support.Announcement.created_by",
    "support.Incident.created_by",
    "support.IncidentUpdate.created_by",
}

__all__ = ["ACTS_OF_STAFF", "TABLES"]
