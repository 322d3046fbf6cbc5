"""What orders tell people: admins, customers, and who wants to hear of prices."""
