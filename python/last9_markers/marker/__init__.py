"""What is sent: the event and its attributes, how it is kept while Last9 does not have it, and what the report is told of it."""
