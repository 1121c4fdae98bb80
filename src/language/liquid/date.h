// The `date` filter: reading what people write as dates, and strftime (POSIX, with the flags and
// directives of Ruby's Time#strftime).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "language/liquid/value.h"

namespace liquid {

// True when `name` is an IANA zone this machine knows; empty is UTC and known.
bool KnownZone(std::string_view name);

// Reads seconds since 1970 (a number, or text of digits; eight digits in text are a day, 20160314,
// which the reference takes for seconds), 'now' and 'today', ISO 8601, RFC 2822
// and dates in words ("March 14, 2016", "14 Mar 2016 10:30 pm", "2016/3/14", "14/3/2016"). A time
// without an offset is one in `zone`. nullopt: not a date.
std::optional<base::TimeMs> ParseDate(const Value& value, std::string_view zone,
                                      base::TimeMs now_ms);

// Prints an instant as `format` says, in `zone`. Directives it does not know stay as they are;
// widths are at most 64. The result may be longer than `format` by that factor.
// Errors: kInvalidArgument for an unknown zone.
base::Result<std::string> FormatDate(base::TimeMs time, std::string_view format,
                                     std::string_view zone);

}  // namespace liquid
