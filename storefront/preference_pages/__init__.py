"""The page of the admin where owners change preferences: a form of all that are declared, a preview, the history."""
