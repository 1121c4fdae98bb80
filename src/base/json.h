// Writing JSON text (RFC 8259) by appending to a string. Reading is simdjson's work.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);
// Shortest text that reads back as the same double; NaN and infinities become null.
void AppendJsonNumber(std::string& out, double value);
void AppendJsonNumber(std::string& out, int64_t value);

// Writes one object or array, placing commas itself:
//   JsonWriter w(out); w.Begin('{'); w.Key("id").String(x); w.Key("n").Int(3); w.End('}');
class JsonWriter {
  public:
    explicit JsonWriter(std::string& out) : out_(out) {}
    JsonWriter& Key(std::string_view key) {
        Comma();
        AppendJsonString(out_, key);
        out_.push_back(':');
        fresh_ = true;
        return *this;
    }
    JsonWriter& Begin(char open) {  // '{' or '['
        Comma();
        out_.push_back(open);
        fresh_ = true;
        return *this;
    }
    JsonWriter& End(char close) {
        out_.push_back(close);
        fresh_ = false;
        return *this;
    }
    JsonWriter& String(std::string_view v) {
        Comma();
        AppendJsonString(out_, v);
        return *this;
    }
    JsonWriter& Int(int64_t v) {
        Comma();
        AppendJsonNumber(out_, v);
        return *this;
    }
    JsonWriter& Double(double v) {
        Comma();
        AppendJsonNumber(out_, v);
        return *this;
    }
    JsonWriter& Bool(bool v) { return Raw(v ? "true" : "false"); }
    JsonWriter& Null() { return Raw("null"); }
    JsonWriter& Time(int64_t time_ms);        // ISO 8601 text in UTC with milliseconds.
    JsonWriter& Raw(std::string_view json) {  // Text that is JSON already.
        Comma();
        out_.append(json);
        return *this;
    }

  private:
    void Comma() {
        if (!fresh_) out_.push_back(',');
        fresh_ = false;
    }
    std::string& out_;
    bool fresh_ = true;
};

}  // namespace base
