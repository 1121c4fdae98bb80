// Walks the elements of a list that was stored as raw JSON, without a parser's buffers: `has` runs
// for every event.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "language/condition/compare.h"

namespace condition {

class ListReader {
  public:
    // `json`: a JSON array. Of text that is no JSON array, elements end at the first fault.
    explicit ListReader(std::string_view json);

    // The next element; lists and objects inside come as kObject with their raw text. Texts live
    // until the next call. nullopt: the end.
    std::optional<Value> Next();

  private:
    void SkipBlanks();
    std::optional<Value> Text();
    std::optional<Value> Nested();

    std::string_view json_;
    size_t pos_ = 0;
    std::string unescaped_;
};

}  // namespace condition
