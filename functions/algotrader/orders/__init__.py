"""Orders: their ids, their statuses, and which of them are the desk's own."""
