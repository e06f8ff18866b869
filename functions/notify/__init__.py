"""The Notify step: it writes the record, ends the claim, and sends the messages."""
