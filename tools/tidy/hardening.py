#!/usr/bin/env python3
"""Reads the built binary, not the flags it was built with.

    hardening.py BINARY   ->   one line a property that is missing; exit 1 when there is any
"""

import re
import subprocess
import sys


def readelf(*arguments):
    return subprocess.run(("readelf", "-W", *arguments), check=True, capture_output=True,
                          text=True).stdout


def missing(binary):
    headers = readelf("-h", "-l", binary)
    dynamic = readelf("-d", binary)
    symbols = readelf("--dyn-syms", binary)
    stack = re.search(r"GNU_STACK.*", headers)
    checks = {
        "position independent (PIE)":
            re.search(r"Type:\s+DYN", headers) and re.search(r"FLAGS_1.*PIE", dynamic),
        "relocations read-only (RELRO)": "GNU_RELRO" in headers,
        "bound at start (BIND_NOW)":
            re.search(r"\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW|\(BIND_NOW\)", dynamic),
        "stack not executable": stack and " RWE " not in stack.group(0),
        "no segment both writable and executable": not re.search(r"LOAD.* RWE ", headers),
        "stack protector": "__stack_chk_fail" in symbols,
        "fortified string functions": re.search(r"\b__\w+_chk(@|\s|$)", symbols),
        "no run path": not re.search(r"\(RPATH\)|\(RUNPATH\)", dynamic),
    }
    return [name for name, present in checks.items() if not present]


if __name__ == "__main__":
    lacking = missing(sys.argv[1])
    for property_name in lacking:
        print(f"{sys.argv[1]}: missing: {property_name}")
    sys.exit(1 if lacking else 0)
