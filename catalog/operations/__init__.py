"""What people change about the catalog: overrides of staff, favorites and stock alerts of customers, stock."""
