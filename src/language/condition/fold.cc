#include "language/condition/fold.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>

namespace condition {
namespace {

// Reads text folded, byte after byte.
class FoldedBytes {
  public:
    explicit FoldedBytes(std::string_view text) : text_(text) {}

    bool done() const { return at_ == pending_ && pos_ == text_.size(); }

    char Next() {
        if (at_ < pending_) return buffer_[at_++];
        const auto lead = static_cast<uint8_t>(text_[pos_]);
        if (lead < 0x80) {
            ++pos_;
            return static_cast<char>(lead >= 'A' && lead <= 'Z' ? lead + 32 : lead);
        }
        Decode();
        return buffer_[at_++];
    }

  private:
    void Decode() {
        const auto* bytes = reinterpret_cast<const uint8_t*>(text_.data());
        const auto length = static_cast<int64_t>(text_.size());
        auto next = static_cast<int64_t>(pos_);
        UChar32 point = 0;
        U8_NEXT(bytes, next, length, point);
        at_ = pending_ = 0;
        if (point < 0) {  // Not UTF-8: the byte stands for itself.
            buffer_[pending_++] = text_[pos_++];
            return;
        }
        pos_ = static_cast<size_t>(next);
        const UChar32 folded = u_foldCase(point, U_FOLD_CASE_DEFAULT);
        U8_APPEND_UNSAFE(reinterpret_cast<uint8_t*>(buffer_), pending_, folded);
    }

    std::string_view text_;
    size_t pos_ = 0;
    char buffer_[4] = {};
    uint32_t at_ = 0;
    uint32_t pending_ = 0;
};

bool Compare(std::string_view text, std::string_view folded, bool whole) {
    FoldedBytes bytes(text);
    for (const char expected : folded) {
        if (bytes.done() || bytes.Next() != expected) return false;
    }
    return !whole || bytes.done();
}

}  // namespace

void AppendFolded(std::string& out, std::string_view text) {
    out.reserve(out.size() + text.size());
    FoldedBytes bytes(text);
    while (!bytes.done()) out.push_back(bytes.Next());
}

std::string Fold(std::string_view text) {
    std::string out;
    AppendFolded(out, text);
    return out;
}

bool FoldedEqual(std::string_view text, std::string_view folded) {
    return Compare(text, folded, true);
}

bool FoldedStarts(std::string_view text, std::string_view folded) {
    return Compare(text, folded, false);
}

}  // namespace condition
