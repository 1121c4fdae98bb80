#include "base/json.h"

#include <emmintrin.h>

#include <charconv>
#include <cmath>

#include "base/time.h"
#include "base/utf8.h"

namespace base {
namespace {

// True when 16 bytes are ASCII that needs no escape (SSE2, which every x86-64 has).
bool IsPlain16(const uint8_t* p) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Signed compare: bytes from 0x80 are negative, so they count as below 0x20.
    __m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
    return _mm_movemask_epi8(odd) == 0;
}

void AppendEscape(std::string& out, uint8_t c) {
    switch (c) {
        case '"':
            out.append("\\\"");
            return;
        case '\\':
            out.append("\\\\");
            return;
        case '\n':
            out.append("\\n");
            return;
        case '\r':
            out.append("\\r");
            return;
        case '\t':
            out.append("\\t");
            return;
        default:
            break;
    }
    static constexpr char kDigits[] = "0123456789abcdef";
    out.append("\\u00");
    out.push_back(kDigits[c >> 4]);
    out.push_back(kDigits[c & 15]);
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
    out.push_back('"');
    const auto* p = reinterpret_cast<const uint8_t*>(text.data());
    const auto* end = p + text.size();
    const auto* run = p;
    const auto flush = [&] {
        out.append(reinterpret_cast<const char*>(run), static_cast<size_t>(p - run));
    };
    while (p < end) {
        if (end - p >= 16 && IsPlain16(p)) {
            p += 16;
            continue;
        }
        if (*p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\' && *p != 0x7f) {
            ++p;
            continue;
        }
        if (*p < 0x80) {
            flush();
            AppendEscape(out, *p);
            run = ++p;
            continue;
        }
        const size_t length = Utf8Length(p, end);
        if (length > 0) {
            p += length;
            continue;
        }
        flush();
        out.append("\xef\xbf\xbd");
        run = ++p;
    }
    flush();
    out.push_back('"');
}

void AppendJsonNumber(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out.append("null");
        return;
    }
    char buffer[32];
    // Readers, simdjson among them, refuse integers beyond 64 bits; with an exponent they read on.
    const bool wide = std::abs(value) >= 1e18;
    const auto end =
        wide ? std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific)
                   .ptr
             : std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    out.append(buffer, end);
}

void AppendJsonNumber(std::string& out, int64_t value) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    out.append(buffer, end);
}

JsonWriter& JsonWriter::Time(int64_t time_ms) {
    Comma();
    out_.push_back('"');
    AppendIso(out_, time_ms);
    out_.push_back('"');
    return *this;
}

}  // namespace base
