"""What happened, on disk before anything leaves."""
