"""Owns the paper broker: a stateful server that speaks Alpaca's REST v2 over real daily bars."""

from local.paper_broker.process import PaperBrokerError, PaperBrokerProcess

__all__ = ["PaperBrokerError", "PaperBrokerProcess"]
