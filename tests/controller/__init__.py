"""The second judge: what the runner runs, on a real Jenkins (``make controller``). See README.md beside this file."""
