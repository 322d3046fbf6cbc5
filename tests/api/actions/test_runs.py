"""`runs` and `interval`, by which other shops deliver a quantity several times over: refused where they mean that."""


from tests.api.world import *  # noqa: F403
