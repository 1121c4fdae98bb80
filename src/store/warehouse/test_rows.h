// Rows for the tests of this directory.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "store/warehouse/row.h"

namespace warehouse {

inline constexpr base::TimeMs kJanuary = 1767607200000;   // 2026-01-05T10:00Z
inline constexpr base::TimeMs kFebruary = 1770285600000;  // 2026-02-05T10:00Z

// An event of a person, told apart by its key alone.
inline Row MakeRow(uint16_t partition, uint64_t offset, uint64_t person,
                   base::TimeMs time = kJanuary) {
    Row row;
    row.workspace = 1;
    row.person = person;
    row.time_ms = time;
    row.log_time_ms = time + 5;
    row.kind = "event";
    row.name = "Page";
    row.ids = {"user:u" + std::to_string(person), "anonymous:a" + std::to_string(person)};
    row.visit = offset / 10;
    row.prop_key = {"url", "amount"};
    row.prop_text = {"/pricing", ""};
    row.prop_num = {0, 12.5};
    row.source = "google";
    row.medium = "cpc";
    row.campaign = "winter";
    row.payload = R"({"type":"track","event":"Page","properties":{"url":"/pricing"}})";
    row.partition = partition;
    row.offset = offset;
    row.ordinal = 0;
    return row;
}

// The view of a row, with the spans it needs.
class Viewed {
  public:
    explicit Viewed(const Row& row)
        : ids_(row.ids.begin(), row.ids.end()),
          keys_(row.prop_key.begin(), row.prop_key.end()),
          texts_(row.prop_text.begin(), row.prop_text.end()) {
        view_ = {.workspace = row.workspace,
                 .person = row.person,
                 .time_ms = row.time_ms,
                 .log_time_ms = row.log_time_ms,
                 .kind = row.kind,
                 .name = row.name,
                 .ids = ids_,
                 .visit = row.visit,
                 .prop_key = keys_,
                 .prop_text = texts_,
                 .prop_num = row.prop_num,
                 .source = row.source,
                 .medium = row.medium,
                 .campaign = row.campaign,
                 .payload = row.payload,
                 .partition = row.partition,
                 .offset = row.offset,
                 .ordinal = row.ordinal};
    }
    const RowView& view() const { return view_; }

  private:
    std::vector<std::string_view> ids_;
    std::vector<std::string_view> keys_;
    std::vector<std::string_view> texts_;
    RowView view_;
};

inline std::string RowBytes(const Row& row) {
    std::string out;
    AppendRow(out, Viewed(row).view());
    return out;
}
inline std::string EntryBytes(const Row& row) {
    std::string out;
    AppendEntry(out, Viewed(row).view());
    return out;
}

}  // namespace warehouse
