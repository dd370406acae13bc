"""Maps and measurements of latent spaces."""


def __getattr__(name: str) -> str:
    """Look up `__version__` when it is asked for: jobs run without the package's metadata."""
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
