#include "flow/ingest/draft.h"

#include <cmath>

#include "base/json.h"
#include "base/limits.h"

namespace ingest {

using model::JsonKind;
using model::JsonScan;
using model::JsonSlice;

namespace {

std::string Told(std::string_view field, std::string_view what) {
    std::string out(field);
    out += ": ";
    out += what;
    return out;
}

// The form that every client of ours writes: "2026-01-05T10:00:00.123Z". False: another form,
// which base::ParseIso reads (or refuses).
bool ReadUsualTime(std::string_view text, base::TimeMs& ms) {
    static constexpr char kForm[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (text.size() != sizeof kForm - 1) return false;
    const char* const t = text.data();
    bool holds = true;
    for (size_t i = 0; i < sizeof kForm - 1; ++i) {
        holds &= kForm[i] == 'd' ? static_cast<uint8_t>(t[i] - '0') <= 9 : t[i] == kForm[i];
    }
    if (!holds) return false;
    const auto two = [&](size_t at) { return (t[at] - '0') * 10 + (t[at + 1] - '0'); };
    const int year = two(0) * 100 + two(2), month = two(5), day = two(8);
    const int hour = two(11), minute = two(14), second = two(17);
    const int thousandths = (t[20] - '0') * 100 + two(21);
    // Days that only some months have, and leap seconds, are left to the full reader.
    if (month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    // Days since 1970: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    const int y = month <= 2 ? year - 1 : year;
    const int era = (y >= 0 ? y : y - 399) / 400;
    const int yoe = y - era * 400;
    const int doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int64_t days = int64_t{era} * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    ms = days * base::kDayMs + ((hour * 60 + minute) * 60 + second) * base::kSecondMs + thousandths;
    return true;
}

bool HasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

}  // namespace

bool FieldReader::Id(std::string_view field, std::string_view& out, std::string& reason) {
    const JsonSlice value = scan_.Take();
    switch (value.kind) {
        case JsonKind::kNone: return false;
        case JsonKind::kNull: return true;
        case JsonKind::kString:
        case JsonKind::kNumber: break;
        default: reason = Told(field, "must be text or a number"); return false;
    }
    const std::string_view text = scan_.Text(value);
    if (text.size() > limits::kIdBytesMax) {
        reason = Told(field, "longer than " + std::to_string(limits::kIdBytesMax) + " bytes");
        return false;
    }
    if (value.escaped && HasNul(text)) {
        reason = Told(field, "holds a NUL character");
        return false;
    }
    out = text;
    return true;
}

template <typename F>
bool FieldReader::Fields(std::string_view field, std::string_view& raw, std::string& reason,
                         F&& each) {
    const char c = scan_.Peek();
    if (c != '{') {
        const JsonSlice value = scan_.Take();
        if (value.none()) return false;
        if (value.null()) return true;
        reason = Told(field, "must be an object");
        return false;
    }
    const size_t begin = scan_.Position();
    size_t keys = 0;
    const bool read = scan_.EachField([&](std::string_view key) {
        if (++keys > limits::kPropertiesMax) {
            reason = Told(field, "more than " + std::to_string(limits::kPropertiesMax) + " keys");
            return false;
        }
        // Only an escape can bring a NUL: stage one refuses raw control characters.
        if (key.data() < scan_.text().data() ||
            key.data() >= scan_.text().data() + scan_.text().size()) {
            if (HasNul(key)) {
                reason = Told(field, "a name holds a NUL character");
                return false;
            }
        }
        const JsonSlice value = scan_.Take();
        if (value.none()) return false;
        each(key, value);
        return true;
    });
    if (read) raw = scan_.ContainerSince(begin);
    return read;
}

bool FieldReader::Object(std::string_view field, std::string_view& raw, std::string& reason,
                         std::string_view* email) {
    return Fields(field, raw, reason, [&](std::string_view key, const JsonSlice& value) {
        if (email != nullptr && key == "email" && value.kind == JsonKind::kString) {
            *email = scan_.Text(value);
        }
    });
}

bool FieldReader::Properties(Draft& draft) {
    return Fields("properties", draft.event.properties, draft.reason,
                  [&](std::string_view key, const JsonSlice& value) {
                      if (key == "name") draft.properties_name = true;
                      if (key == "category") draft.properties_category = true;
                      if (key == "email" && value.kind == JsonKind::kString &&
                          draft.email.empty()) {
                          draft.email = scan_.Text(value);
                      }
                  });
}

bool FieldReader::Text(std::string_view& out) {
    const JsonSlice value = scan_.Take();
    if (value.kind == JsonKind::kString) out = scan_.Text(value);
    return !value.none();
}

bool FieldReader::Time(ClientTime& out) {
    const JsonSlice value = scan_.Take();
    if (value.none()) return false;
    if (value.null()) return true;
    out.given = true;
    out.readable = false;
    if (value.kind == JsonKind::kString) {
        const std::string_view text = scan_.Text(value);
        if (text.empty()) {
            out.given = false;
            return true;
        }
        if (ReadUsualTime(text, out.ms)) {
            out.readable = true;
        } else if (const auto time = base::ParseIso(text)) {
            out.readable = true;
            out.ms = *time;
        }
    } else if (value.kind == JsonKind::kNumber) {
        const double number = model::JsonNumber(value.raw);
        const double ms = std::fabs(number) >= 1e11 ? number : number * 1000;
        if (std::fabs(ms) < 1e15) {
            out.readable = true;
            out.ms = static_cast<base::TimeMs>(std::llround(ms));
        }
    }
    return true;
}

bool FieldReader::Rest(std::string_view key) {
    const JsonSlice value = scan_.Take();
    if (value.none()) return false;
    rest_.push_back(rest_.empty() ? '{' : ',');
    base::AppendJsonString(rest_, key);
    rest_.push_back(':');
    rest_.append(value.raw);
    return true;
}

std::string_view FieldReader::End() {
    if (rest_.empty()) return {};
    rest_.push_back('}');
    return scan_.Keep(rest_);
}

}  // namespace ingest
