"""One page for whoever keeps the money: what waits for a decision, with the evidence beside it, and what is known."""
