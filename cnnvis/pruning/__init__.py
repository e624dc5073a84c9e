"""Switch parts of a network off, measure what is left, and make it physically smaller."""

__all__: list[str] = []
