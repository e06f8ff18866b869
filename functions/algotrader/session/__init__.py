"""The session: what an execution trades on, how long it may take, whether its bars are fit."""
