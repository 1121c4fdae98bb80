// One walk over a JSON text (RFC 8259), giving every value as the slice of text it is.
//
// simdjson's first stage checks UTF-8, finds where strings end and where every token begins; this
// class walks those tokens, checks the grammar of what it passes (numbers, literals, escapes,
// commas) and hands out slices, so that a value that only travels is never decoded and encoded
// again. Duplicate keys and the meaning of values are the caller's matter.
//
// One thread; memory is kept from one text to the next. Slices point into the text, or, for
// strings with escapes, into memory of the scan that lives until the next Open.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace model {

// Bytes that must be readable behind a text given to JsonScan.
inline constexpr size_t kJsonPadding = 64;

enum class JsonKind : uint8_t { kNone, kObject, kArray, kString, kNumber, kTrue, kFalse, kNull };

// A value as it stands in the text: no white space around it; strings with their quotes.
struct JsonSlice {
    JsonKind kind = JsonKind::kNone;
    bool escaped = false;   // A string with at least one backslash.
    std::string_view raw;
    bool none() const { return kind == JsonKind::kNone; }
    bool null() const { return kind == JsonKind::kNull; }
    bool is_object() const { return kind == JsonKind::kObject; }
};

class JsonScan {
  public:
    enum class Fault : uint8_t {
        kNone,
        kMalformed,  // Not JSON.
        kTooDeep,    // Deeper than the limit given to Open.
        kSurrogate,  // An escape of half a character (RFC 8259 section 8.2), which is no text.
        kStopped,    // A callback of EachField or EachElement returned false.
    };

    JsonScan();
    ~JsonScan();
    JsonScan(const JsonScan&) = delete;
    JsonScan& operator=(const JsonScan&) = delete;

    // Starts on `text`, which must be followed by kJsonPadding readable bytes and outlive the
    // slices. False: not UTF-8, an open string, a raw control character in a string, or empty.
    bool Open(std::string_view text, int depth_max);

    // The first byte of the token the scan stands on; 0 at the end of the text.
    char Peek() const { return at_ < end_ ? text_.data()[*at_] : '\0'; }
    // True when every token has been passed.
    bool AtEnd() const { return at_ == end_; }
    // Position of the current token in the text; the text's size at the end.
    size_t Position() const { return at_ < end_ ? *at_ : size_; }

    // Passes one value and gives its slice; kNone (and a fault) when it is malformed or too deep.
    JsonSlice Take() { return Peek() == '"' ? TakeString() : TakeOther(); }

    // Standing on '{': calls f(std::string_view key) for each field, standing on its value, which
    // f must pass (Take, EachField, ...) before it returns true. False: fault, see fault().
    template <typename F>
    bool EachField(F&& f) {
        if (Peek() != '{') return Set(Fault::kMalformed);
        if (++depth_ > depth_max_) return Set(Fault::kTooDeep);
        ++at_;
        if (Peek() == '}') {
            ++at_;
            --depth_;
            return true;
        }
        while (true) {
            if (Peek() != '"') return Set(Fault::kMalformed);
            const JsonSlice key = TakeString();
            if (key.none() || Peek() != ':') return Set(Fault::kMalformed);
            ++at_;
            if (!f(Text(key))) return Set(Fault::kStopped);
            const char c = Peek();
            ++at_;
            if (c == ',') continue;
            if (c != '}') return Set(Fault::kMalformed);
            --depth_;
            return true;
        }
    }

    // Standing on '[': calls f() for each element, standing on it.
    template <typename F>
    bool EachElement(F&& f) {
        if (Peek() != '[') return Set(Fault::kMalformed);
        if (++depth_ > depth_max_) return Set(Fault::kTooDeep);
        ++at_;
        if (Peek() == ']') {
            ++at_;
            --depth_;
            return true;
        }
        while (true) {
            if (!f()) return Set(Fault::kStopped);
            const char c = Peek();
            ++at_;
            if (c == ',') continue;
            if (c != ']') return Set(Fault::kMalformed);
            --depth_;
            return true;
        }
    }

    // The text between `begin` (an earlier Position()) and the end of the token just passed.
    std::string_view Since(size_t begin) const {
        return {text_.data() + begin, passed_ - begin};
    }
    // The same for a container whose closing bracket was just passed by EachField or EachElement.
    std::string_view ContainerSince(size_t begin) const {
        return {text_.data() + begin, *(at_ - 1) + 1 - begin};
    }

    // The characters a string slice means; for other slices the raw text.
    std::string_view Text(const JsonSlice& slice) {
        if (slice.kind != JsonKind::kString) return slice.raw;
        const std::string_view inner(slice.raw.data() + 1, slice.raw.size() - 2);
        return slice.escaped ? Unescape(inner) : inner;
    }

    // Where a value begins, to come back to it.
    struct Mark {
        const uint32_t* at;
        int depth;
    };
    Mark Here() const { return {at_, depth_}; }
    void GoTo(const Mark& mark) {
        at_ = mark.at;
        depth_ = mark.depth;
        fault_ = Fault::kNone;
    }
    // Goes back to `mark` and passes its value by counting brackets only, so that a value that is
    // refused (too deep, stopped half way) does not cost its neighbours. Clears the fault.
    bool SkipFrom(const Mark& mark);

    Fault fault() const { return fault_; }
    void ClearFault() { fault_ = Fault::kNone; }
    std::string_view text() const { return text_; }

    // Copies a text to where it lives as long as the slices do.
    std::string_view Keep(std::string_view text);

    // From here on values may nest `levels` deep, counted from the current value (which is 1).
    void LimitDepth(int levels) { depth_max_ = depth_ + levels; }

  private:
    struct Stage;
    bool Set(Fault fault) {
        if (fault_ == Fault::kNone) fault_ = fault;
        return false;
    }
    JsonSlice TakeString() {
        const uint32_t p = *at_;
        const size_t q = NextPosition();
        const char* const t = text_.data();
        // The usual string: the next token follows at once and no backslash is near.
        if (t[q - 1] == '"' && q - 1 > p && backslash_ >= t + q) [[likely]] {
            ++at_;
            passed_ = q;
            return {JsonKind::kString, false, {t + p, q - p}};
        }
        return TakeOddString();
    }
    JsonSlice TakeOddString();
    JsonSlice TakeOther();
    JsonSlice TakeScalar(char c);
    bool Pass();  // Passes a value of any kind; grammar checked.
    bool PassObject();
    bool PassArray();
    bool EscapesHold(std::string_view inner);
    std::string_view Unescape(std::string_view inner);
    size_t NextPosition() const { return at_ + 1 < end_ ? at_[1] : size_; }

    std::unique_ptr<Stage> stage_;
    std::string_view text_;
    size_t size_ = 0;
    size_t passed_ = 0;               // End of the scalar last passed.
    const uint32_t* begin_ = nullptr;  // Token positions.
    const uint32_t* at_ = nullptr;
    const uint32_t* end_ = nullptr;
    const char* backslash_ = nullptr;  // The first one not before the current string.
    int depth_ = 0;
    int depth_max_ = 0;
    Fault fault_ = Fault::kNone;
    // Kept texts: blocks that stay from one text to the next; the last is being filled.
    struct Block {
        std::unique_ptr<char[]> bytes;
        size_t size = 0;
    };
    std::vector<Block> blocks_;
    size_t block_used_ = 0;
    std::string scratch_;
};

// A number by RFC 8259 section 6.
bool IsJsonNumber(std::string_view text);
// The double nearest to a JSON number; infinities for what is out of range.
double JsonNumber(std::string_view text);

}  // namespace model
