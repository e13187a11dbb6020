"""What a run is made of: settings, bars and strategies, put together."""
