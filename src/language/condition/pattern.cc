#include "language/condition/pattern.h"

#include <re2/re2.h>

#include <string>

#include "base/limits.h"

namespace condition {

base::Result<std::shared_ptr<const re2::RE2>> CompilePattern(std::string_view pattern) {
    if (pattern.size() > limits::kPatternBytesMax) {
        return base::Invalid("the pattern is longer than " +
                             std::to_string(limits::kPatternBytesMax) + " bytes");
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(limits::kPatternMemoryMax);
    auto compiled = std::make_shared<const re2::RE2>(
        re2::StringPiece(pattern.data(), pattern.size()), options);
    if (!compiled->ok()) return base::Invalid("the pattern cannot be read: " + compiled->error());
    return compiled;
}

}  // namespace condition
