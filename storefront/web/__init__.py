"""Between the web server and the pages."""
