// Events of PostHog clients: {event, distinct_id, properties, timestamp, uuid, $set, $set_once}.
#include "base/json.h"
#include "base/limits.h"
#include "flow/ingest/draft.h"

namespace ingest {

using model::EventType;
using model::JsonKind;
using model::JsonScan;
using model::JsonSlice;

namespace {

class PosthogReader {
  public:
    PosthogReader(JsonScan& scan, Draft& draft) : scan_(scan), reader_(scan), draft_(draft) {}

    bool Read() {
        const bool read = scan_.EachField([this](std::string_view key) { return Field(key); });
        if (!read) return false;
        if (!extra_.empty()) {
            extra_.push_back('}');
            draft_.event.extra = scan_.Keep(extra_);
        }
        return Close();
    }

  private:
    bool Refuse(std::string reason) {
        draft_.reason = std::move(reason);
        return false;
    }

    bool Field(std::string_view key) {
        for (const std::string_view before : seen_) {
            if (before == key) return Refuse("a field is given twice");
        }
        if (seen_.size() >= limits::kEventFieldsMax) {
            return Refuse("more than " + std::to_string(limits::kEventFieldsMax) + " fields");
        }
        seen_.push_back(key);
        model::Event& e = draft_.event;
        if (key == "event") return Name();
        if (key == "distinct_id") return reader_.Id(key, distinct_id_, draft_.reason);
        if (key == "uuid") return reader_.Id(key, e.message_id, draft_.reason);
        if (key == "timestamp") return reader_.Time(draft_.time);
        if (key == "offset") return Offset();
        if (key == "properties") return Properties();
        if (key == "$set") return reader_.Object(key, set_, draft_.reason, &set_email_);
        if (key == "$set_once") return reader_.Object(key, e.traits_once, draft_.reason);
        if (key == "type" || key == "api_key" || key == "token" || key == "library" ||
            key == "library_version" || key == "sent_at") {
            return !scan_.Take().none();
        }
        return Keep(extra_, key, scan_.Take());
    }

    bool Keep(std::string& into, std::string_view key, const JsonSlice& value) {
        if (value.none()) return false;
        into.push_back(into.empty() ? '{' : ',');
        base::AppendJsonString(into, key);
        into.push_back(':');
        into.append(value.raw);
        return true;
    }

    bool Name() {
        const JsonSlice value = scan_.Take();
        if (value.none()) return false;
        if (value.kind != JsonKind::kString) return Refuse("event: must be text");
        const std::string_view name = scan_.Text(value);
        if (name.size() > limits::kNameBytesMax) {
            return Refuse("event: longer than " + std::to_string(limits::kNameBytesMax) + " bytes");
        }
        if (value.escaped && name.find('\0') != std::string_view::npos) {
            return Refuse("event: holds a NUL character");
        }
        draft_.event.name = name;
        return true;
    }

    // Milliseconds between the act and the sending, by the browser's own clock.
    bool Offset() {
        const JsonSlice value = scan_.Take();
        if (value.kind == JsonKind::kNumber) {
            const double age = model::JsonNumber(value.raw);
            if (age >= 0 && age < 1e12) draft_.age_ms = static_cast<base::DurationMs>(age);
        }
        return !value.none();
    }

    bool Properties() {
        if (scan_.Peek() != '{') {
            const JsonSlice value = scan_.Take();
            if (value.none()) return false;
            return value.null() || Refuse("properties: must be an object");
        }
        size_t keys = 0;
        const bool read = scan_.EachField([&](std::string_view key) {
            if (++keys > limits::kPropertiesMax) {
                return Refuse("properties: more than " + std::to_string(limits::kPropertiesMax) +
                              " keys");
            }
            if (key.find('\0') != std::string_view::npos) {
                return Refuse("properties: a name holds a NUL character");
            }
            return Property(key);
        });
        if (!read) return false;
        if (!properties_.empty()) {
            properties_.push_back('}');
            draft_.event.properties = scan_.Keep(properties_);
        }
        return true;
    }

    bool Property(std::string_view key) {
        model::Event& e = draft_.event;
        std::string& reason = draft_.reason;
        if (key == "$set") return reader_.Object(key, inner_set_, reason, &inner_email_);
        if (key == "$set_once") return reader_.Object(key, inner_once_, reason);
        if (key == "$group_set") return reader_.Object(key, group_set_, reason);
        if (key == "distinct_id") return reader_.Id(key, inner_distinct_, reason);
        if (key == "$device_id") return reader_.Id(key, device_id_, reason);
        if (key == "$anon_distinct_id") return reader_.Id(key, anon_id_, reason);
        if (key == "alias") return reader_.Id(key, alias_, reason);
        if (key == "$group_key") return reader_.Id(key, group_key_, reason);
        if (key == "$time") return reader_.Time(property_time_);
        if (key == "token") return !scan_.Take().none();
        if (key == "$ip") return reader_.Text(draft_.ip);
        const JsonSlice value = scan_.Take();
        if (!Keep(properties_, key, value)) return false;
        if (key == "$is_identified") is_anonymous_ = value.kind == JsonKind::kFalse;
        if (value.kind != JsonKind::kString) return true;
        const std::string_view text = scan_.Text(value);
        if (key == "$current_url") draft_.page_url = text;
        if (key == "$referrer" && text != "$direct") draft_.page_referrer = text;
        if (key == "$pathname") path_ = text;
        if (key == "title") title_ = text;
        if (key == "$raw_user_agent") e.user_agent = text;
        if (key == "$browser_language") e.locale = text;
        if (key == "$timezone") e.timezone = text;
        if (key == "$group_type") group_type_ = text;
        if (key == "$lib") library_ = text;
        if (key == "$lib_version") library_version_ = text;
        if (key == "utm_source") draft_.tags.source = text;
        if (key == "utm_medium") draft_.tags.medium = text;
        if (key == "utm_campaign") draft_.tags.name = text;
        if (key == "utm_term") draft_.tags.term = text;
        if (key == "utm_content") draft_.tags.content = text;
        return true;
    }

    std::string_view Object(
        std::initializer_list<std::pair<std::string_view, std::string_view>> parts) {
        std::string out;
        for (const auto& [key, text] : parts) {
            if (text.empty()) continue;
            out.push_back(out.empty() ? '{' : ',');
            base::AppendJsonString(out, key);
            out.push_back(':');
            base::AppendJsonString(out, text);
        }
        if (out.empty()) return {};
        out.push_back('}');
        return scan_.Keep(out);
    }

    bool Close() {
        model::Event& e = draft_.event;
        if (e.name.empty()) return Refuse("event: missing");
        if (!inner_distinct_.empty() && distinct_id_.empty()) distinct_id_ = inner_distinct_;
        if (!draft_.time.given) draft_.time = property_time_;
        e.traits = set_.empty() ? inner_set_ : set_;
        if (e.traits_once.empty()) e.traits_once = inner_once_;
        e.page = Object({{"path", path_},
                         {"url", draft_.page_url},
                         {"referrer", draft_.page_referrer},
                         {"title", title_}});
        e.library = Object({{"name", library_}, {"version", library_version_}});
        draft_.type_known = true;
        e.type = EventType::kTrack;
        Ids();
        if (e.name == "$pageview") {
            e.type = EventType::kPage;
        } else if (e.name == "$screen") {
            e.type = EventType::kScreen;
        } else if (e.name == "$identify") {
            e.type = EventType::kIdentify;
            draft_.email = set_email_.empty() ? inner_email_ : set_email_;
        } else if (e.name == "$create_alias") {
            e.type = EventType::kAlias;
            if (!inner_distinct_.empty()) e.user_id = inner_distinct_;
            e.previous_id = alias_;
        } else if (e.name == "$groupidentify") {
            e.type = EventType::kGroup;
            e.group_id = group_key_;
            e.traits = group_set_;
            e.traits_once = {};
            // posthog-node stands in "$type_key" when the call names no person.
            std::string nobody = "$";
            nobody.append(group_type_).append("_").append(group_key_);
            if (e.user_id == nobody) e.user_id = {};
        }
        return true;
    }

    // PostHog has one id for both; a browser's is anonymous until $identify.
    void Ids() {
        model::Event& e = draft_.event;
        const bool identify = e.name == "$identify";
        if (!identify && (is_anonymous_ || (!device_id_.empty() && device_id_ == distinct_id_))) {
            e.anonymous_id = distinct_id_;
            return;
        }
        e.user_id = distinct_id_;
        e.anonymous_id = !anon_id_.empty() ? anon_id_ : device_id_;
    }

    JsonScan& scan_;
    FieldReader reader_;
    Draft& draft_;
    std::vector<std::string_view> seen_;
    std::string extra_;
    std::string properties_;
    std::string_view distinct_id_, inner_distinct_, device_id_, anon_id_, alias_;
    std::string_view set_, inner_set_, inner_once_, group_set_, set_email_, inner_email_;
    std::string_view group_key_, group_type_, path_, title_, library_, library_version_;
    ClientTime property_time_;
    bool is_anonymous_ = false;
};

}  // namespace

bool ReadPosthogEvent(JsonScan& scan, Draft& draft) { return PosthogReader(scan, draft).Read(); }

}  // namespace ingest
