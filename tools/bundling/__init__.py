"""Builds resources/last9/last9-markers.pyz. docs/architecture.md says what the bundle is for."""
