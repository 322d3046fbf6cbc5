"""What an order goes through: its moves, refunds, flags and goods; the interface of what supplies it."""
