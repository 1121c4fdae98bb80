// Attribute names of a partition as small numbers, in order of first appearance. Part of the
// partition's state, because stored persons hold the numbers.
//
// Threads: owned by the thread that folds the partition.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"

namespace model {

class Names {
  public:
    static constexpr uint32_t kUnknown = UINT32_MAX;

    uint32_t Find(std::string_view name) const {
        const auto it = numbers_.find(name);
        return it == numbers_.end() ? kUnknown : it->second;
    }
    // kUnknown when limits::kNamesMax names are known already.
    uint32_t Number(std::string_view name) {
        const auto it = numbers_.find(name);
        if (it != numbers_.end()) return it->second;
        if (texts_.size() >= limits::kNamesMax) return kUnknown;
        texts_.emplace_back(name);
        const auto number = static_cast<uint32_t>(texts_.size() - 1);
        numbers_.emplace(texts_.back(), number);
        return number;
    }
    std::string_view Text(uint32_t number) const { return texts_[number]; }
    size_t size() const { return texts_.size(); }

    void Encode(base::ByteWriter& out) const {
        out.Varint(texts_.size());
        for (const auto& text : texts_) out.Text(text);
    }
    bool Decode(base::ByteReader& in) {
        const uint64_t n = in.Count();
        for (uint64_t i = 0; i < n; ++i) Number(in.Text());
        return in.ok() && texts_.size() == n;
    }

  private:
    std::deque<std::string> texts_;  // Never moves its texts: the map's keys point into them.
    boost::unordered_flat_map<std::string_view, uint32_t> numbers_;
};

}  // namespace model
