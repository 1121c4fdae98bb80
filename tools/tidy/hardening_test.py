#!/usr/bin/env python3
"""The reader must tell a hardened program from a bare one; both are built here."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import hardening  # noqa: E402

SOURCE = """
#include <stdio.h>
#include <string.h>
int main(int count, char** words) {
    char text[64];
    strcpy(text, words[count - 1]);
    puts(text);
    return 0;
}
"""
HARDENED = ("-O2", "-fPIE", "-pie", "-fstack-protector-strong", "-U_FORTIFY_SOURCE",
            "-D_FORTIFY_SOURCE=2", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack")


class Hardening(unittest.TestCase):
    def build(self, *flags):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        program = pathlib.Path(directory.name) / "program"
        subprocess.run(("gcc", "-w", "-x", "c", "-", "-o", str(program), *flags), check=True,
                       input=SOURCE, text=True, stderr=subprocess.DEVNULL)
        return str(program)

    def test_a_hardened_program_passes(self):
        self.assertEqual(hardening.missing(self.build(*HARDENED)), [])

    def test_each_property_is_missed_when_its_flag_goes(self):
        for flags, expected in (
            (("-fPIC", "-no-pie"), "position independent (PIE)"),
            (("-Wl,-z,norelro",), "relocations read-only (RELRO)"),
            (("-Wl,-z,lazy",), "bound at start (BIND_NOW)"),
            (("-Wl,-z,execstack",), "stack not executable"),
            (("-fno-stack-protector",), "stack protector"),
            (("-U_FORTIFY_SOURCE",), "fortified string functions"),
            (("-Wl,-rpath,/opt",), "no run path"),
        ):
            with self.subTest(flags=flags):
                self.assertIn(expected, hardening.missing(self.build(*HARDENED, *flags)))


if __name__ == "__main__":
    unittest.main()
