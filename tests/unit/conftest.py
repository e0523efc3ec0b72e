"""For unit tests: torch on one thread, which is quicker for small models, above all on a busy machine."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported
