"""How what comes from outside is read: text, times, amounts, ids. For upstream's answers and for what people type."""
