"""What every room may use: clocks, errors, formats, redaction, the build log."""
