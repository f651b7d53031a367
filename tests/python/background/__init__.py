"""Starts in the background, with real processes and a real server."""
