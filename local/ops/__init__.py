"""Operations on a deployed stack, from outside."""
