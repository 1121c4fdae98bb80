#!/usr/bin/env python3
"""What `./dev up` and `./dev down` promise, tried with a small program in the server's place.

The script is the real one; only what installs and builds is left out.
"""

import os
import pathlib
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int count, char** words) {
    if (strcmp(words[1], "init") == 0) {
        mkdir(words[3], 0700);
        puts("{\"write_key\": \"pk_one\", \"secret_key\": \"sk_two\"}");
        return 0;
    }
    if (strcmp(words[1], "demo") == 0) {
        char told[512];
        snprintf(told, sizeof told, "%s/demo", words[3]);
        FILE* file = fopen(told, "a");
        if (!file || getenv("REFUSE_DEMO")) return 1;
        fprintf(file, "played for %s\n", words[5]);
        return fclose(file);
    }
    if (getenv("REFUSE")) {
        fputs("this data directory is of another version\n", stderr);
        return 3;
    }
    struct sockaddr_in place = {.sin_family = AF_INET};
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    place.sin_port = htons(atoi(strrchr(words[5], ':') + 1));
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void*)&place, sizeof place) || listen(listener, 8)) return 1;
    for (;;) {
        char request[4096];
        const char* answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        int visitor = accept(listener, 0, 0);
        if (read(visitor, request, sizeof request) > 0) write(visitor, answer, strlen(answer));
        close(visitor);
    }
}
"""


def free_port():
    """The first of three neighbouring ports that nobody listens on."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        try:
            for offset in range(3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
            return port
        except (OSError, OverflowError):
            continue


class Dev(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp())
        (self.home / "build/release").mkdir(parents=True)
        (self.home / ".ripen").mkdir()
        script = (ROOT / "dev").read_text()
        head, tail = script.split("cmd=${1:-help}")
        left_out = "setup() { :; }\nbuild() { :; }\n"
        (self.home / "dev").write_text(head + left_out + "cmd=${1:-help}" + tail)
        (self.home / "dev").chmod(0o755)
        subprocess.run(["gcc", "-w", "-x", "c", "-", "-o", self.binary()], input=SERVER, text=True,
                       check=True)
        self.port = free_port()

    def tearDown(self):
        self.dev("down")
        shutil.rmtree(self.home)

    def binary(self):
        return self.home / "build/release/ripen"

    def dev(self, *arguments, **environment):
        environment = {**os.environ, "RIPEN_LISTEN": f"127.0.0.1:{self.port}", **environment}
        return subprocess.run([self.home / "dev", *arguments], env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def pid(self):
        return (self.home / ".ripen/ripen.pid").read_text().strip()

    def test_up_ends_with_the_address_both_keys_and_a_line_to_try(self):
        up = self.dev("up")
        self.assertEqual(up.returncode, 0, up.stdout)
        for word in (f"http://127.0.0.1:{self.port}", "pk_one", "sk_two", "curl -u pk_one:"):
            self.assertIn(word, up.stdout)

    def test_the_keys_are_for_their_owner_alone(self):
        self.dev("up")
        mode = stat.S_IMODE((self.home / ".ripen/keys.json").stat().st_mode)
        self.assertEqual(mode, 0o600)

    def test_up_twice_keeps_the_server_and_the_keys(self):
        self.dev("up")
        first = self.pid()
        up = self.dev("up")
        self.assertIn("already runs", up.stdout)
        self.assertEqual(self.pid(), first)

    def test_the_demo_is_played_before_the_first_start_alone(self):
        self.dev("up")
        self.dev("up")
        told = (self.home / ".ripen/data/demo").read_text()
        self.assertEqual(told, f"played for http://127.0.0.1:{self.port + 1}\n")

    def test_the_demo_can_be_left_out(self):
        self.dev("up", RIPEN_DEMO="no")
        self.assertFalse((self.home / ".ripen/data/demo").exists())

    def test_a_first_start_that_was_broken_off_begins_again(self):
        self.assertNotEqual(self.dev("up", REFUSE_DEMO="1").returncode, 0)
        up = self.dev("up")
        self.assertEqual(up.returncode, 0, up.stdout)
        self.assertIn("pk_one", up.stdout)

    def test_a_newer_binary_restarts_the_server(self):
        self.dev("up")
        first = self.pid()
        newer = (self.home / ".ripen/ripen.pid").stat().st_mtime + 1
        os.utime(self.binary(), (newer, newer))
        self.dev("up")
        self.assertNotEqual(self.pid(), first)

    def test_a_port_in_use_is_named(self):
        for offset in range(3):
            with self.subTest(offset=offset), socket.socket() as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind(("127.0.0.1", self.port + offset))
                other.listen()
                up = self.dev("up")
                self.assertEqual(up.returncode, 1)
                self.assertIn(f"port {self.port + offset} is in use", up.stdout)

    def test_a_server_that_does_not_start_shows_its_last_words(self):
        up = self.dev("up", REFUSE="1")
        self.assertEqual(up.returncode, 1)
        self.assertIn("of another version", up.stdout)

    def test_a_data_directory_without_its_keys_is_left_alone(self):
        (self.home / ".ripen/data").mkdir()
        up = self.dev("up")
        self.assertEqual(up.returncode, 1)
        self.assertIn("keys are not", up.stdout)

    def test_down_stops_what_up_started_and_nothing_else(self):
        self.dev("up")
        pid = self.pid()
        self.assertIn("Stopped", self.dev("down").stdout)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        # A stale file with the pid of another program, this test, must not stop that program.
        (self.home / ".ripen/ripen.pid").write_text(f"{os.getpid()}\n")
        self.assertIn("No server", self.dev("down").stdout)

    def test_a_suite_counts_once_and_shows_how_it_ended(self):
        shutil.copytree(ROOT / "tools", self.home / "tools")
        self.assertIn("1 passed    0 failed", self.dev("internal", "suite", "s", "true").stdout)
        bad = self.dev("internal", "suite", "s", "false").stdout
        self.assertIn("0 passed    1 failed", bad)
        self.assertIn("exit status 1", bad)

    def test_an_unknown_command_is_refused(self):
        self.assertEqual(self.dev("frobnicate").returncode, 1)


if __name__ == "__main__":
    unittest.main()
