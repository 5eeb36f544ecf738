"""How hypothesis searches in the core's tests."""

from hypothesis import settings

# A busy machine says nothing about the code, so no example has a deadline; and what failed must fail again.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
