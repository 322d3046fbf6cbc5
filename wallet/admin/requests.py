"""Admin pages of moves of money by hand that a second member of staff has to approve."""
