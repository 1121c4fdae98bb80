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
        if (const auto time = base::ParseIso(text)) {
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
