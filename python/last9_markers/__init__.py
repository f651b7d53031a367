"""Last9 deployment markers: the engine that a Jenkins Shared Library runs on a build agent.

The library carries (step options, build facts, the credential), this package decides (validation, attributes, delivery, wording).
``tests/contract/README.md`` in the repository describes what passes between the two.
"""

__version__ = "1.0.0"
