"""Settings of hypothesis for the whole suite: no deadline, since a busy machine is no finding."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
