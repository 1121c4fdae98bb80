// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace base {

// Length in bytes of the well-formed sequence at p, or 0. p < end.
size_t Utf8Length(const uint8_t* p, const uint8_t* end);

bool IsUtf8(std::string_view text);

}  // namespace base
