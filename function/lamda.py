"""The documented entry point: `lamda.lambda_handler`.

The spelling is deliberate: deployed hook functions and their documentation name this module.
"""

from greenlight.handlers.hook import lambda_handler

__all__ = ["lambda_handler"]
