"""The first page of the admin: is anything wrong, what needs me, are we making money, what is selling."""
