"""Web pages: the report, one HTML file that opens offline."""
