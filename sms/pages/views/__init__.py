"""The customer's SMS pages: `shop` sells numbers, `numbers` shows the ones that were bought."""
