"""Owns what all tests share: an assertion in a support module shows its values as one in a test."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.support.event_expectations")
