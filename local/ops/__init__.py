"""Operations on a deployed stack from this machine."""
