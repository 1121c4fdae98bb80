#!/usr/bin/env python3
"""Each rule is shown a tree that keeps it and one that breaks it."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tidy  # noqa: E402

README = """# The tree
`server -> flow -> net -> base`

| directory | what it is |
|---|---|
| base | words |
| net | protocols |
| flow | the product: ingest journeys |
| server | main |
"""
GOOD = {
    "README.md": "# R\n\n## Set up\n\n```\n./dev up\n./dev test  # all\n```\n\n[a](src/README.md)\n",
    "docs/dependencies.md": "`g++` `uap-core`\n",
    "package.json": json.dumps({"dependencies": {"uap-core": "1"}}),
    "tools/packages/build": "# why\ng++\n",
    "src/README.md": README,
    "src/base/a.h": "#include <vector>\n",
    "src/net/http/b.cc": '#include "base/a.h"\n#include <boost/beast/http.hpp>\n',
    "src/flow/ingest/c.cc": '#include "net/http/b.cc"\n#include "flow/ingest/c.cc"\n',
    "src/flow/journeys/d.h": '#include "base/a.h"\n',
    "src/server/pipeline.cc": '#include "flow/ingest/c.cc"\n#include "flow/journeys/d.h"\n',
}


class Tidy(unittest.TestCase):
    def rules_broken(self, changes):
        with tempfile.TemporaryDirectory() as directory:
            for name, text in {**GOOD, **changes}.items():
                if text is None:
                    continue
                path = pathlib.Path(directory, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return [breach.rule for breach in tidy.check(directory)]

    def expect(self, rule, changes):
        self.assertEqual(self.rules_broken(changes), [rule])

    def test_a_good_tree_has_no_breach(self):
        self.assertEqual(self.rules_broken({}), [])

    def test_a_directory_that_the_table_lacks(self):
        changes = {"src/extra/x.cc": "\n"}
        self.assertEqual(self.rules_broken(changes), ["table", "table"])

    def test_a_flow_stage_that_the_row_lacks(self):
        self.expect("table", {"src/flow/reports/x.cc": "\n"})

    def test_an_arrow_the_wrong_way(self):
        self.expect("arrows", {"src/base/a.h": '#include "net/http/b.cc"\n'})

    def test_a_stage_that_includes_another(self):
        self.expect("stages", {"src/flow/journeys/d.h": '#include "flow/ingest/c.cc"\n'})

    def test_a_heavy_header_outside_of_its_home(self):
        self.expect("heavy", {"src/base/a.h": "#include <rocksdb/db.h>\n"})

    def test_beast_in_four_files_and_in_five(self):
        line = "#include <boost/beast/core.hpp>\n"
        self.assertEqual(self.rules_broken({f"src/net/http/{n}.cc": line for n in range(3)}), [])
        self.expect("heavy", {f"src/net/http/{n}.cc": line for n in range(4)})

    def test_an_include_that_leads_nowhere(self):
        self.expect("includes", {"src/base/a.h": '#include "base/gone.h"\n'})

    def test_file_length_on_both_sides_of_the_limit(self):
        self.assertEqual(self.rules_broken({"src/base/e.cc": "\n" * 800}), [])
        self.expect("size", {"src/base/e.cc": "\n" * 801})
        self.assertEqual(self.rules_broken({"src/base/e_test.cc": "\n" * 1500}), [])
        self.expect("size", {"src/base/e_test.cc": "\n" * 1501})

    def test_line_length_on_both_sides_of_the_limit(self):
        self.assertEqual(self.rules_broken({"src/base/e.cc": "x" * 100 + "\n"}), [])
        self.expect("width", {"src/base/e.cc": "x" * 101 + "\n"})

    def test_a_name_that_says_nothing(self):
        self.expect("names", {"src/base/string_utils.cc": "\n"})

    def test_open_work(self):
        self.expect("open", {"src/base/e.cc": "// TO" "DO later\n"})

    def test_a_place_on_one_machine(self):
        self.expect("machine", {"src/base/e.cc": '"/' 'root/x"\n'})

    def test_set_up_with_a_third_command_or_none(self):
        self.expect("readme", {"README.md": "## Set up\n\n```\n./dev up\n./dev test\nmake\n```\n"})
        self.expect("readme", {"README.md": "# R\n"})

    def test_a_link_that_leads_nowhere(self):
        self.expect("links", {"src/base/NOTES.md": "[x](gone.md)\n"})

    def test_a_dependency_without_a_reason(self):
        self.expect("dependencies", {"tools/packages/build": "g++\nclang\n"})


if __name__ == "__main__":
    unittest.main()
