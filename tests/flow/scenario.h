// A scenario as text (README.md has the words): lines that do something to a World and lines that
// expect something of it.
#pragma once

#include <string>

namespace flow {

// Runs the file. Empty: everything was as expected; else "file:line: what was expected and what
// was found", the first of them.
std::string RunScenario(const std::string& path);

}  // namespace flow
