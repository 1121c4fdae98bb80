// Names that people give to things, checked alike.
#pragma once

#include <string>

#include "base/result.h"

namespace catalog {

// Errors: kInvalidArgument, `at` "name": empty, longer than limits::kNameBytesMax, or with a
// control character.
base::Status CheckName(const std::string& name);

}  // namespace catalog
