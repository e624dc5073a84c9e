"""How the networks that ship with cnnvis were trained."""

__all__: list[str] = []
