# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""imports - the files that the tests and the demo import, one path a line, for the lab's initramfs."""
import os
import sys

sys.path[:0] = [os.getcwd(), os.path.join(os.getcwd(), "..", "evasion"),
                os.path.join(os.getcwd(), "..", "crash")]
import encodings.ascii  # noqa: E402,F401
import encodings.idna  # noqa: E402,F401
import encodings.utf_8  # noqa: E402,F401
import http.server  # noqa: E402,F401
import layouts  # noqa: E402,F401
import overload  # noqa: E402,F401
import random  # noqa: E402,F401
import run  # noqa: E402,F401
import senders  # noqa: E402,F401

for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None)
    if not path or path.startswith(os.getcwd()):
        continue
    print(path)
    cached = getattr(module, "__cached__", None)
    if cached and os.path.exists(cached):
        print(cached)
