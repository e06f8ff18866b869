"""The Notify step: it sends a text message and an e-mail, writes the record, and ends the claim."""
