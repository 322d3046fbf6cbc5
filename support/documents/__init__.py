"""The pages that the owner writes: FAQ, terms and the like; their versions, and who has accepted which terms."""
