"""Lambda entry points, one a file.

What a cold start makes lives as long as its environment: the garbage collector would go through it
again and again, a tenth of a cold start, and find nothing. So it is off until a handler is
`ready`.
"""

import gc

gc.disable()
