#!/usr/bin/env python3
"""The house's rules over the tree; STYLE.md says why each is there.

    tidy.py ROOT   ->   one line a breach, "path:line: rule: text"; exit 1 when there is any

A rule is a function that takes the Tree and yields breaches; RULES lists them all.
src/README.md is the one source for which directories there are and which way arrows go.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
from typing import Iterator, NamedTuple

MAX_LINES = 800
MAX_TEST_LINES = 1500
MAX_COLUMNS = 100
MAX_BEAST_FILES = 4
BANNED_NAMES = {"manager", "helper", "util", "common", "misc", "processor", "handler"}
CODE = (".cc", ".h")
PROSE_WIDTH_FREE = (".md", ".json", ".csv", ".lock", ".html", ".txt", ".svg", ".yaml", ".flow")
# Heavy headers stay behind ours: the prefix, and the directories that may include it.
HEAVY = {
    "boost/beast": ("src/net/",),
    "rocksdb/": ("src/store/",),
    "gmime/": ("src/net/", "src/flow/delivery/", "tests/"),
    "maxminddb": ("src/flow/ingest/",),
    "prometheus/": ("src/server/",),
    "toml++/": ("src/server/",),
    "CLI/": ("src/server/", "bench/", "tests/"),
}


class Breach(NamedTuple):
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


class Tree:
    """The files of a checkout: what git tracks and what is new but not ignored."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        if (self.root / ".git").exists():
            listed = subprocess.run(
                ["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"],
                check=True, capture_output=True, text=True).stdout
            names = set(filter(None, listed.split("\0")))
        else:
            names = {path.relative_to(self.root).as_posix()
                     for path in self.root.rglob("*") if path.is_file()}
        self.files = sorted(name for name in names if (self.root / name).is_file())
        self._lines = {}

    def lines(self, name):
        """The lines of a text file; none of a binary one."""
        if name not in self._lines:
            raw = (self.root / name).read_bytes()
            try:
                text = "" if b"\0" in raw else raw.decode("utf-8")
            except UnicodeDecodeError:
                text = ""
            self._lines[name] = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
        return self._lines[name]

    def exists(self, name):
        return (self.root / name).exists()

    def code(self):
        return [name for name in self.files if name.endswith(CODE)]

    def includes(self, name):
        """(line number, path, True for the quoted form) of every #include."""
        for number, line in enumerate(self.lines(name), 1):
            found = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if found:
                yield number, found.group(2), found.group(1) == '"'


def read_layers(tree):
    """src/README.md's arrow line as {directory: level}; the lowest level is 0."""
    text = " ".join(tree.lines("src/README.md"))
    arrow = re.search(r"`([^`]*->[^`]*)`", text)
    groups = arrow.group(1).split("->") if arrow else []
    return {name.strip(): level
            for level, group in enumerate(reversed(groups)) for name in group.split(",")}


def read_table(tree):
    """src/README.md's table as {directory: description}."""
    rows = {}
    for line in tree.lines("src/README.md"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2 and re.fullmatch(r"[a-z_]+", cells[0]):
            if cells[0] != "directory":
                rows[cells[0]] = cells[1]
    return rows


def directories(tree, under):
    depth = under.count("/")
    return {name.split("/")[depth] for name in tree.files
            if name.startswith(under) and name.count("/") > depth}


def table_equals_tree(tree) -> Iterator[Breach]:
    table, layers = read_table(tree), read_layers(tree)
    present = directories(tree, "src/")
    for name in sorted(present ^ set(table)):
        yield Breach("src/README.md", 1, "table", f"{name} is only in the " +
                     ("tree" if name in present else "table"))
    for name in sorted(present ^ set(layers)):
        yield Breach("src/README.md", 1, "table", f"{name} is only in the " +
                     ("tree" if name in present else "line of arrows"))
    stages = set(table.get("flow", "").rsplit(":", 1)[-1].split())
    for name in sorted(directories(tree, "src/flow/") ^ stages):
        yield Breach("src/README.md", 1, "table", f"flow stage {name}: row and tree differ")


def arrows_go_one_way(tree) -> Iterator[Breach]:
    layers = read_layers(tree)
    for name in tree.code():
        parts = name.split("/")
        if parts[0] != "src" or len(parts) < 3:
            continue
        home = parts[1]
        for number, path, quoted in tree.includes(name):
            target = path.split("/")[0]
            if not quoted or target == home or target not in layers or home not in layers:
                continue
            if layers[target] >= layers[home]:
                yield Breach(name, number, "arrows", f"{home} must not include {target}")


def stages_are_strangers(tree) -> Iterator[Breach]:
    for name in tree.code():
        if not name.startswith("src/flow/"):
            continue
        stage = name.split("/")[2]
        for number, path, quoted in tree.includes(name):
            parts = path.split("/")
            if quoted and parts[0] == "flow" and len(parts) > 2 and parts[1] != stage:
                yield Breach(name, number, "stages", f"{stage} must not include {parts[1]}")


def heavy_headers_stay_home(tree) -> Iterator[Breach]:
    beast_files = []
    for name in tree.code():
        homes = {prefix: allowed for prefix, allowed in HEAVY.items()}
        for number, path, _ in tree.includes(name):
            for prefix, allowed in homes.items():
                if path.startswith(prefix) and not name.startswith(allowed):
                    yield Breach(name, number, "heavy", f"<{path}> belongs in {', '.join(allowed)}")
            if path.startswith("boost/beast") and name not in beast_files:
                beast_files.append(name)
    for name in beast_files[MAX_BEAST_FILES:]:
        yield Breach(name, 1, "heavy", f"Beast is in more than {MAX_BEAST_FILES} files")


def includes_exist(tree) -> Iterator[Breach]:
    for name in tree.code():
        places = ("src", "", os.path.dirname(name))
        for number, path, quoted in tree.includes(name):
            if quoted and not any(tree.exists(os.path.join(place, path)) for place in places):
                yield Breach(name, number, "includes", f'"{path}" does not exist')


def is_test(name):
    return name.startswith("tests/") or re.search(r"_test\.(cc|h|py)$|\.test\.", name) is not None


def sizes(tree) -> Iterator[Breach]:
    for name in tree.files:
        if name.startswith("fuzz/corpus/") or name.endswith(PROSE_WIDTH_FREE):
            continue
        if name in ("LICENSE", ".gitignore") or name.endswith("_tables.cc"):
            continue  # Tables are written by a program that lies beside them.
        lines = tree.lines(name)
        limit = MAX_TEST_LINES if is_test(name) else MAX_LINES
        if len(lines) > limit:
            yield Breach(name, limit + 1, "size", f"{len(lines)} lines, {limit} are allowed")
        for number, line in enumerate(lines, 1):
            # Texts that a test feeds in are not broken for the margin.
            fed = is_test(name) and re.search(r"[\"'`]", line) is not None
            if len(line) > MAX_COLUMNS and "http" not in line and not fed:
                yield Breach(name, number, "width", f"{len(line)} columns")


def names_say_something(tree) -> Iterator[Breach]:
    for name in tree.files:
        stem = os.path.basename(name).split(".")[0]
        for word in re.split(r"[_-]", stem):
            if word.lower().rstrip("s") in BANNED_NAMES:
                yield Breach(name, 1, "names", f'"{word}" says nothing: which noun is it?')


def nothing_is_left_open(tree) -> Iterator[Breach]:
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    for name in tree.files:
        if name.startswith("fuzz/corpus/") or name.endswith((".csv", "package-lock.json")):
            continue
        for number, line in enumerate(tree.lines(name), 1):
            if mark.search(line):
                yield Breach(name, number, "open", line.strip()[:60])


def no_machine_in_the_text(tree) -> Iterator[Breach]:
    places = re.compile(r"(^|[\s\"'=(`:])/(work|root)/|registry\.npm" r"js\.org|\"reso" r"lved\": ")
    for name in tree.files:
        for number, line in enumerate(tree.lines(name), 1):
            if places.search(line):
                yield Breach(name, number, "machine", line.strip()[:60])


def readme_has_two_commands(tree) -> Iterator[Breach]:
    text = "\n".join(tree.lines("README.md")) if tree.exists("README.md") else ""
    section = re.search(r"^## Set up\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", section.group(1), re.M | re.S) if section else []
    commands = [re.sub(r"\s*#.*", "", line) for block in blocks for line in block.splitlines()]
    if commands != ["./dev up", "./dev test"]:
        yield Breach("README.md", 1, "readme", f"set-up commands are {commands}")


def links_lead_somewhere(tree) -> Iterator[Breach]:
    for name in tree.files:
        if not name.endswith(".md"):
            continue
        for number, line in enumerate(tree.lines(name), 1):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                if not tree.exists(os.path.join(os.path.dirname(name), target)):
                    yield Breach(name, number, "links", f"{target} does not exist")


def dependencies_are_explained(tree) -> Iterator[Breach]:
    page = "docs/dependencies.md"
    text = "\n".join(tree.lines(page)) if tree.exists(page) else ""
    known = set(re.findall(r"`([^`]+)`", text))
    wanted = {}
    for name in tree.files:
        if name.startswith("tools/packages/"):
            for number, line in enumerate(tree.lines(name), 1):
                if line and not line.startswith("#"):
                    wanted[line] = (name, number)
    if tree.exists("package.json"):
        manifest = json.loads("\n".join(tree.lines("package.json")))
        for kind in ("dependencies", "devDependencies"):
            for package in manifest.get(kind, {}):
                wanted[package] = ("package.json", 1)
    for package, (name, number) in wanted.items():
        if package not in known:
            yield Breach(name, number, "dependencies", f"{package} is not explained in {page}")


RULES = (
    table_equals_tree,
    arrows_go_one_way,
    stages_are_strangers,
    heavy_headers_stay_home,
    includes_exist,
    sizes,
    names_say_something,
    nothing_is_left_open,
    no_machine_in_the_text,
    readme_has_two_commands,
    links_lead_somewhere,
    dependencies_are_explained,
)


def check(root):
    tree = Tree(root)
    return [breach for rule in RULES for breach in rule(tree)]


def main():
    breaches = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    for breach in breaches:
        print(breach)
    print(f"tidy: {len(RULES)} rules, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
