"""The customer's SMS pages: `shelf` sells numbers, `numbers` shows the ones that were bought."""
