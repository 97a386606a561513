"""What Inspect loads when it looks for the extensions that are installed: importing it registers everything."""

from nosce.inspect import __all__ as registered
from nosce.inspect._model import nosce_models

__all__ = ["nosce_models", "registered"]
