"""Choosing: what a model costs at home and in a cloud (`costs`, `payback`), the wait for it (`home`)."""
