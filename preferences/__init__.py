"""What the owner of the shop changes without a deploy: declared, typed, kept with a history."""
