"""What the shop says to programs that read it for others: search engines, and sites that show a preview of a link."""
