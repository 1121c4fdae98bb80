// The tables, by dialect. Types and codecs differ between ClickHouse 18 and 26, so DDL comes from
// here; queries have no switch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace warehouse {

enum class Dialect : uint8_t {
    kChdb26,      // libchdb in our child: codecs, LowCardinality, synced inserts.
    kServer18,    // ClickHouse 18.16 on one server.
};

inline constexpr std::string_view kDatabase = "w";
inline constexpr std::string_view kEvents = "w.events";

// Statements that make what is missing, each to be sent alone, in this order.
std::vector<std::string> SchemaStatements(Dialect dialect);

}  // namespace warehouse
