"""The Notify step: one text message, one e-mail, the run's record, the claim's end."""
