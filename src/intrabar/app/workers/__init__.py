"""What lives longer than a call: sessions, and their signs of life."""
