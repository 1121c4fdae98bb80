// Source to Program. The grammar of every tag is here; the table of their names is closed.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "language/liquid/ast.h"

namespace liquid {

// Parses program.source into program.body; the nodes point into the source, so the program must
// not move afterwards. `known_partials` are the names {% render %} may use.
// Errors: kInvalidArgument with "line:column" in `at`.
base::Status ParseProgram(Program& program, std::span<const std::string_view> known_partials);

// "line:column" of a byte offset; columns count characters; both begin at 1.
std::string PlaceOf(std::string_view source, size_t offset);

}  // namespace liquid
