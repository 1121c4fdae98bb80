// The lists behind source.h.
#pragma once

#include <cstddef>
#include <string_view>

#include "flow/ingest/source.h"

namespace ingest {

struct SiteRow {
    std::string_view host;  // Without "www."; may hold "{}" for a country and a path after it.
    SiteKind kind;
    std::string_view name;
    std::string_view term_param;
};
extern const SiteRow kSiteRows[];  // Sorted by host.
extern const size_t kSiteRowCount;

}  // namespace ingest
