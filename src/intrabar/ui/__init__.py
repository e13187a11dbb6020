"""What a person sees: view models, shared by every front end."""
