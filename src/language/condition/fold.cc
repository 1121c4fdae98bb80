#include "language/condition/fold.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace condition {
namespace {

// CJK, kana, Hangul letters and Yi: nothing in between has case.
constexpr UChar32 kCaselessFirst = 0x2e80;
constexpr UChar32 kCaselessLast = 0xa63f;

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
        const bool caseless = point >= kCaselessFirst && point <= kCaselessLast;
        const UChar32 folded = caseless ? point : u_foldCase(point, U_FOLD_CASE_DEFAULT);
        U8_APPEND_UNSAFE(reinterpret_cast<uint8_t*>(buffer_), pending_, folded);
    }

    std::string_view text_;
    size_t pos_ = 0;
    char buffer_[4] = {};
    uint32_t at_ = 0;
    uint32_t pending_ = 0;
};

bool Compare(std::string_view text, std::string_view folded, bool whole) {
    // What is equal unfolded is equal: folding a folded text changes nothing.
    if (whole ? text == folded : text.starts_with(folded)) return true;
    size_t i = 0;
    for (const size_t both = std::min(text.size(), folded.size()); i < both; ++i) {
        const char c = text[i];
        if ((c & 0x80) != 0) break;
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != folded[i]) return false;
    }
    FoldedBytes bytes(text.substr(i));
    for (const char expected : folded.substr(i)) {
        if (bytes.done() || bytes.Next() != expected) return false;
    }
    return !whole || bytes.done();
}

}  // namespace

bool FoldAscii(std::string_view text, char* out) {
    constexpr uint64_t kOnes = 0x0101010101010101ULL;
    uint64_t high = 0;
    size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        uint64_t word = 0;
        std::memcpy(&word, text.data() + i, 8);
        high |= word;
        // Bit 7 of each byte: set where it is above 'Z' in the one, from 'A' on in the other.
        const uint64_t seven = word & (0x7f * kOnes);
        const uint64_t above = seven + (0x7f - 'Z') * kOnes;
        const uint64_t from = seven + (0x80 - 'A') * kOnes;
        word |= ((from & ~above) & (0x80 * kOnes)) >> 2;
        std::memcpy(out + i, &word, 8);
    }
    for (; i < text.size(); ++i) {
        const char c = text[i];
        high |= static_cast<uint8_t>(c);
        out[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return (high & (0x80 * kOnes)) == 0;
}

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
