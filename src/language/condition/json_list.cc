#include "language/condition/json_list.h"

#include <unicode/utf8.h>

#include <charconv>
#include <cstdint>

namespace condition {
namespace {

// The closing quote of the JSON string that opens at `open`, or npos.
size_t ClosingQuote(std::string_view json, size_t open) {
    for (size_t i = open + 1; i < json.size(); ++i) {
        if (json[i] == '\\') {
            ++i;
        } else if (json[i] == '"') {
            return i;
        }
    }
    return std::string_view::npos;
}

std::optional<uint32_t> Hex4(std::string_view text, size_t at) {
    if (at + 4 > text.size()) return std::nullopt;
    uint32_t unit = 0;
    const char* begin = text.data() + at;
    const auto [rest, error] = std::from_chars(begin, begin + 4, unit, 16);
    if (error != std::errc() || rest != begin + 4) return std::nullopt;
    return unit;
}

// Appends the character of the \u escape whose digits begin at `at`, and moves `at` past it.
// A surrogate without its partner becomes U+FFFD.
bool AppendUnicode(std::string& out, std::string_view text, size_t& at) {
    const auto first = Hex4(text, at);
    if (!first) return false;
    at += 4;
    uint32_t point = *first;
    if (point >= 0xd800 && point <= 0xdfff) {
        const bool pair = point < 0xdc00 && text.substr(at, 2) == "\\u";
        const auto second = pair ? Hex4(text, at + 2) : std::nullopt;
        if (second && *second >= 0xdc00 && *second <= 0xdfff) {
            point = 0x10000 + ((point - 0xd800) << 10) + (*second - 0xdc00);
            at += 6;
        } else {
            point = 0xfffd;
        }
    }
    uint8_t bytes[4];
    uint32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, point);
    out.append(reinterpret_cast<const char*>(bytes), length);
    return true;
}

// What stands between the quotes of a JSON string (RFC 8259 section 7).
bool Unescape(std::string_view text, std::string& out) {
    out.clear();
    size_t at = 0;
    while (at < text.size()) {
        if (text[at] != '\\') {
            out.push_back(text[at++]);
            continue;
        }
        if (at + 1 >= text.size()) return false;
        const char c = text[at + 1];
        at += 2;
        switch (c) {
            case 'b': out.push_back('\b'); break;
            case 'f': out.push_back('\f'); break;
            case 'n': out.push_back('\n'); break;
            case 'r': out.push_back('\r'); break;
            case 't': out.push_back('\t'); break;
            case 'u':
                if (!AppendUnicode(out, text, at)) return false;
                break;
            default: out.push_back(c);
        }
    }
    return true;
}

}  // namespace

ListReader::ListReader(std::string_view json) : json_(json) {
    SkipBlanks();
    if (pos_ < json_.size() && json_[pos_] == '[') {
        ++pos_;
    } else {
        pos_ = json_.size();
    }
}

void ListReader::SkipBlanks() {
    while (pos_ < json_.size() && (json_[pos_] == ' ' || json_[pos_] == '\t' ||
                                   json_[pos_] == '\n' || json_[pos_] == '\r')) {
        ++pos_;
    }
}

std::optional<Value> ListReader::Text() {
    const size_t close = ClosingQuote(json_, pos_);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view inside = json_.substr(pos_ + 1, close - pos_ - 1);
    pos_ = close + 1;
    if (inside.find('\\') == std::string_view::npos) return Value::Text(inside);
    if (!Unescape(inside, unescaped_)) return std::nullopt;
    return Value::Text(unescaped_);
}

std::optional<Value> ListReader::Nested() {
    const size_t start = pos_;
    size_t depth = 0;
    for (; pos_ < json_.size(); ++pos_) {
        const char c = json_[pos_];
        if (c == '"') {
            pos_ = ClosingQuote(json_, pos_);
            if (pos_ == std::string_view::npos) break;
        } else if (c == '[' || c == '{') {
            ++depth;
        } else if ((c == ']' || c == '}') && --depth == 0) {
            ++pos_;
            return Value::Object(json_.substr(start, pos_ - start));
        }
    }
    return std::nullopt;
}

std::optional<Value> ListReader::Next() {
    SkipBlanks();
    if (pos_ < json_.size() && json_[pos_] == ',') {
        ++pos_;
        SkipBlanks();
    }
    std::optional<Value> value;
    const std::string_view rest = pos_ < json_.size() ? json_.substr(pos_) : std::string_view();
    if (rest.starts_with('"')) {
        value = Text();
    } else if (rest.starts_with('{') || rest.starts_with('[')) {
        value = Nested();
    } else if (rest.starts_with("true")) {
        value = Value::Bool(true);
        pos_ += 4;
    } else if (rest.starts_with("false")) {
        value = Value::Bool(false);
        pos_ += 5;
    } else if (rest.starts_with("null")) {
        value = Value::None();
        pos_ += 4;
    } else if (!rest.empty()) {
        double number = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (error == std::errc()) {
            value = Value::Number(number);
            pos_ += static_cast<size_t>(end - rest.data());
        }
    }
    if (!value) pos_ = json_.size();
    return value;
}

}  // namespace condition
