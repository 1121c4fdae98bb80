#include "model/json_scan.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace model {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
    if (IsDigit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Four hex digits at p, or -1.
int32_t Unit(const char* p, const char* end) {
    if (end - p < 4) return -1;
    int32_t v = 0;
    for (int i = 0; i < 4; ++i) {
        const int d = HexDigit(p[i]);
        if (d < 0) return -1;
        v = v << 4 | d;
    }
    return v;
}

bool IsHigh(int32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool IsLow(int32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

void AppendUtf8(std::string& out, uint32_t c) {
    const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | c >> 6);
        put(0x80 | (c & 63));
    } else if (c < 0x10000) {
        put(0xe0 | c >> 12);
        put(0x80 | (c >> 6 & 63));
        put(0x80 | (c & 63));
    } else {
        put(0xf0 | c >> 18);
        put(0x80 | (c >> 12 & 63));
        put(0x80 | (c >> 6 & 63));
        put(0x80 | (c & 63));
    }
}

}  // namespace

struct JsonScan::Stage {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    size_t capacity = 0;
};

JsonScan::JsonScan() : stage_(std::make_unique<Stage>()) {}
JsonScan::~JsonScan() = default;

bool JsonScan::Open(std::string_view text, int depth_max) {
    fault_ = Fault::kNone;
    depth_ = 0;
    depth_max_ = depth_max;
    if (blocks_.size() > 1) blocks_.resize(1);
    block_used_ = 0;
    text_ = text;
    size_ = text.size();
    passed_ = 0;
    begin_ = at_ = end_ = nullptr;
    if (text.empty() || text.size() > std::numeric_limits<uint32_t>::max() / 2) {
        return Set(Fault::kMalformed);
    }
    Stage& s = *stage_;
    if (s.capacity < text.size()) {
        const size_t capacity = std::max<size_t>(text.size(), 4096);
        const auto error =
            s.parser == nullptr
                ? simdjson::get_active_implementation()->create_dom_parser_implementation(
                      capacity, 1, s.parser)
                : s.parser->set_capacity(capacity);
        if (error != simdjson::SUCCESS) return Set(Fault::kMalformed);
        s.capacity = capacity;
    }
    const auto error = s.parser->stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                        simdjson::stage1_mode::regular);
    if (error != simdjson::SUCCESS) return Set(Fault::kMalformed);
    begin_ = at_ = s.parser->structural_indexes.get();
    end_ = begin_ + s.parser->n_structural_indexes;
    const void* found = std::memchr(text.data(), '\\', text.size());
    backslash_ = found != nullptr ? static_cast<const char*>(found) : text.data() + text.size();
    return true;
}

JsonSlice JsonScan::TakeOddString() {
    const char* const t = text_.data();
    const size_t p = *at_;
    size_t e = NextPosition() - 1;
    while (e > p && IsSpace(t[e])) --e;
    if (e <= p || t[e] != '"') {
        Set(Fault::kMalformed);
        return {};
    }
    JsonSlice slice{JsonKind::kString, false, {t + p, e + 1 - p}};
    if (backslash_ < t + e) {
        if (backslash_ < t + p) {
            const void* found = std::memchr(t + p, '\\', size_ - p);
            backslash_ = found != nullptr ? static_cast<const char*>(found) : t + size_;
        }
        slice.escaped = backslash_ < t + e;
        if (slice.escaped && !EscapesHold(slice.raw.substr(1, slice.raw.size() - 2))) return {};
    }
    ++at_;
    passed_ = e + 1;
    return slice;
}

bool JsonScan::EscapesHold(std::string_view inner) {
    const char* p = inner.data();
    const char* const end = p + inner.size();
    while (true) {
        const void* found = std::memchr(p, '\\', static_cast<size_t>(end - p));
        if (found == nullptr) return true;
        p = static_cast<const char*>(found) + 1;
        if (p == end) return Set(Fault::kMalformed);
        const char c = *p++;
        if (c != 'u') {
            if (std::memchr("\"\\/bfnrt", c, 8) == nullptr) return Set(Fault::kMalformed);
            continue;
        }
        const int32_t unit = Unit(p, end);
        if (unit < 0) return Set(Fault::kMalformed);
        p += 4;
        if (IsLow(unit)) return Set(Fault::kSurrogate);
        if (!IsHigh(unit)) continue;
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return Set(Fault::kSurrogate);
        const int32_t low = Unit(p + 2, end);
        if (low < 0) return Set(Fault::kMalformed);
        if (!IsLow(low)) return Set(Fault::kSurrogate);
        p += 6;
    }
}

// Only for text that EscapesHold has passed.
std::string_view JsonScan::Unescape(std::string_view inner) {
    std::string& out = scratch_;
    out.clear();
    const char* p = inner.data();
    const char* const end = p + inner.size();
    while (p < end) {
        if (*p != '\\') {
            out.push_back(*p++);
            continue;
        }
        const char c = p[1];
        p += 2;
        switch (c) {
            case 'b': out.push_back('\b'); continue;
            case 'f': out.push_back('\f'); continue;
            case 'n': out.push_back('\n'); continue;
            case 'r': out.push_back('\r'); continue;
            case 't': out.push_back('\t'); continue;
            case 'u': break;
            default: out.push_back(c); continue;
        }
        auto code = static_cast<uint32_t>(Unit(p, end));
        p += 4;
        if (IsHigh(static_cast<int32_t>(code))) {
            const auto low = static_cast<uint32_t>(Unit(p + 2, end));
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            p += 6;
        }
        AppendUtf8(out, code);
    }
    return Keep(out);
}

std::string_view JsonScan::Keep(std::string_view text) {
    if (text.empty()) return {};
    if (blocks_.empty() || blocks_.back().size - block_used_ < text.size()) {
        const size_t size = std::max<size_t>(text.size(), 64 * 1024);
        blocks_.push_back({std::make_unique<char[]>(size), size});
        block_used_ = 0;
    }
    char* const at = blocks_.back().bytes.get() + block_used_;
    std::memcpy(at, text.data(), text.size());
    block_used_ += text.size();
    return {at, text.size()};
}

JsonSlice JsonScan::TakeScalar(char c) {
    const char* const t = text_.data();
    if (at_ >= end_) {
        Set(Fault::kMalformed);
        return {};
    }
    const size_t p = *at_;
    size_t e = NextPosition();
    while (e > p && IsSpace(t[e - 1])) --e;
    const std::string_view raw(t + p, e - p);
    JsonKind kind = JsonKind::kNone;
    if (e - p == 1 && IsDigit(c)) {
        kind = JsonKind::kNumber;
    } else if (c == 't') {
        if (raw == "true") kind = JsonKind::kTrue;
    } else if (c == 'f') {
        if (raw == "false") kind = JsonKind::kFalse;
    } else if (c == 'n') {
        if (raw == "null") kind = JsonKind::kNull;
    } else if (IsJsonNumber(raw)) {
        kind = JsonKind::kNumber;
    }
    if (kind == JsonKind::kNone) {
        Set(Fault::kMalformed);
        return {};
    }
    ++at_;
    passed_ = e;
    return {kind, false, raw};
}

JsonSlice JsonScan::TakeOther() {
    const char c = Peek();
    if (c != '{' && c != '[') return TakeScalar(c);
    const size_t begin = *at_;
    if (!(c == '{' ? PassObject() : PassArray())) return {};
    return {c == '{' ? JsonKind::kObject : JsonKind::kArray, false, ContainerSince(begin)};
}

bool JsonScan::Pass() {
    const char c = Peek();
    if (c == '"') return !TakeString().none();
    if (c == '{') return PassObject();
    if (c == '[') return PassArray();
    return !TakeScalar(c).none();
}

bool JsonScan::PassObject() {
    if (++depth_ > depth_max_) return Set(Fault::kTooDeep);
    ++at_;
    if (Peek() == '}') {
        ++at_;
        --depth_;
        return true;
    }
    while (true) {
        if (Peek() != '"') return Set(Fault::kMalformed);
        if (TakeString().none()) return false;
        if (Peek() != ':') return Set(Fault::kMalformed);
        ++at_;
        if (!Pass()) return false;
        const char c = Peek();
        ++at_;
        if (c == ',') continue;
        if (c != '}') return Set(Fault::kMalformed);
        --depth_;
        return true;
    }
}

bool JsonScan::PassArray() {
    if (++depth_ > depth_max_) return Set(Fault::kTooDeep);
    ++at_;
    if (Peek() == ']') {
        ++at_;
        --depth_;
        return true;
    }
    while (true) {
        if (!Pass()) return false;
        const char c = Peek();
        ++at_;
        if (c == ',') continue;
        if (c != ']') return Set(Fault::kMalformed);
        --depth_;
        return true;
    }
}

bool JsonScan::SkipFrom(const Mark& mark) {
    fault_ = Fault::kNone;
    at_ = mark.at;
    depth_ = mark.depth;
    size_t open = 0;
    while (at_ < end_) {
        const char c = text_[*at_];
        ++at_;
        if (c == '{' || c == '[') ++open;
        if (c == '}' || c == ']') {
            if (open == 0) return Set(Fault::kMalformed);
            --open;
        }
        if (open == 0) return true;
    }
    return Set(Fault::kMalformed);
}

bool IsJsonNumber(std::string_view text) {
    const char* p = text.data();
    const char* const end = p + text.size();
    if (p < end && *p == '-') ++p;
    if (p == end || !IsDigit(*p)) return false;
    if (*p == '0') {
        ++p;
    } else {
        while (p < end && IsDigit(*p)) ++p;
    }
    if (p < end && *p == '.') {
        ++p;
        if (p == end || !IsDigit(*p)) return false;
        while (p < end && IsDigit(*p)) ++p;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        ++p;
        if (p < end && (*p == '+' || *p == '-')) ++p;
        if (p == end || !IsDigit(*p)) return false;
        while (p < end && IsDigit(*p)) ++p;
    }
    return p == end;
}

double JsonNumber(std::string_view text) {
    // Up to 15 digits are exact in a double; most numbers are such.
    if (text.size() <= 15) {
        int64_t whole = 0;
        bool digits = true;
        for (const char c : text) {
            digits &= IsDigit(c);
            whole = whole * 10 + (c - '0');
        }
        if (digits) return static_cast<double>(whole);
    }
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec == std::errc()) return value;
    // Out of range: strtod tells too large (infinity) from too small (zero).
    return std::strtod(std::string(text).c_str(), nullptr);
}

}  // namespace model
