"""What is cached between two changes of the catalog, and how a change is noticed."""
