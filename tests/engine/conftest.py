"""No deadline: the first example of a test may compile a kernel."""

from hypothesis import settings

settings.register_profile("compiled", deadline=None)
settings.load_profile("compiled")
