"""What we know: readers, checks, calendars, the catalogue, the timeline."""
