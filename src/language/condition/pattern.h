// Patterns of `matches`: RE2, unanchored, case-sensitive, in linear time and bounded memory.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace condition {

// Errors: kInvalidArgument: longer than kPatternBytesMax, needs more than kPatternMemoryMax, or is
//   no RE2 pattern; the text says why.
base::Result<std::shared_ptr<const re2::RE2>> CompilePattern(std::string_view pattern);

}  // namespace condition
