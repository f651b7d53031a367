"""What is sent: the event and its attributes, the queue of markers that Last9 does not have, and the records for the report."""
