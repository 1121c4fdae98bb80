#include "flow/ingest/route.h"

#include "base/hash.h"
#include "base/limits.h"
#include "model/json_scan.h"

namespace ingest {
namespace {

struct Named {
    std::string_view name;
    Call call;
};

constexpr Named kSegmentCalls[] = {
    {"batch", Call::kBatch},   {"b", Call::kBatch},
    {"import", Call::kImport}, {"track", Call::kTrack},
    {"t", Call::kTrack},       {"page", Call::kPage},
    {"p", Call::kPage},        {"screen", Call::kScreen},
    {"s", Call::kScreen},      {"identify", Call::kIdentify},
    {"i", Call::kIdentify},    {"group", Call::kGroup},
    {"g", Call::kGroup},       {"alias", Call::kAlias},
    {"a", Call::kAlias},
};

std::optional<Call> CallOf(std::string_view name, bool short_names) {
    for (const Named& n : kSegmentCalls) {
        if (n.name == name && (short_names || n.name.size() > 1)) return n.call;
    }
    return std::nullopt;
}

// Eats `prefix`.
bool After(std::string_view& path, std::string_view prefix) {
    if (!path.starts_with(prefix)) return false;
    path.remove_prefix(prefix.size());
    return true;
}

std::optional<Route> Under(Dialect dialect, std::string_view name, bool short_names = false) {
    const auto call = CallOf(name, short_names);
    if (!call) return std::nullopt;
    return Route{dialect, *call, {}};
}

std::optional<Route> Keyed(Dialect dialect, Call call, std::string_view rest,
                           std::initializer_list<std::string_view> tails) {
    const size_t slash = rest.find('/');
    if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
    for (const std::string_view tail : tails) {
        if (rest.substr(slash + 1) == tail) return Route{dialect, call, rest.substr(0, slash)};
    }
    return std::nullopt;
}

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string PercentDecoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out.push_back(' ');
        } else if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                   HexDigit(text[i + 2]) >= 0) {
            out.push_back(static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

std::string_view Trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool SchemeIs(std::string_view header, std::string_view scheme) {
    if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return false;
    for (size_t i = 0; i < scheme.size(); ++i) {
        if ((header[i] | 0x20) != scheme[i]) return false;
    }
    return true;
}

std::string KeyOfAuthorization(std::string_view header) {
    header = Trimmed(header);
    if (SchemeIs(header, "bearer")) return std::string(Trimmed(header.substr(7)));
    if (!SchemeIs(header, "basic")) return std::string(header);
    const std::string_view coded = Trimmed(header.substr(6));
    std::string plain;
    if (!base::Base64Decode(coded, plain)) return std::string(coded);
    const size_t colon = plain.find(':');
    if (colon == std::string::npos) return plain;
    return colon > 0 ? plain.substr(0, colon) : plain.substr(1);
}

// The key named in a body's top level, or in the properties of its first event.
class BodyKey {
  public:
    std::string Find(std::string_view body) {
        std::string form;
        if (body.starts_with("data=")) {
            const auto data = QueryValue(body, "data");
            if (!data) return {};
            form = *data;
            if (!form.starts_with("{") && !form.starts_with("[")) {
                std::string plain;
                if (!base::Base64Decode(form, plain)) return {};
                form = std::move(plain);
            }
            body = form;
        }
        if (body.empty() || body.size() > limits::kBatchBytesMax) return {};
        std::string padded;
        padded.reserve(body.size() + model::kJsonPadding);
        padded.assign(body);
        if (!scan_.Open(padded, limits::kJsonDepthMax + 2)) return {};
        if (scan_.Peek() == '[') {
            scan_.EachElement([&] {
                Object();
                return false;
            });
        } else {
            Object();
        }
        return key_.empty() ? token_ : key_;
    }

  private:
    bool Skip() { return scan_.SkipFrom(scan_.Here()); }

    void Object() {
        if (scan_.Peek() != '{') return;
        scan_.EachField([&](std::string_view name) {
            if (name == "writeKey" || name == "api_key") return Text(key_) && key_.empty();
            if (name == "token") return Text(token_);
            if (name == "properties" && token_.empty() && scan_.Peek() == '{') {
                return scan_.EachField([&](std::string_view inner) {
                    return inner == "token" ? Text(token_) : Skip();
                });
            }
            if (name == "batch" && token_.empty() && scan_.Peek() == '[') {
                const auto mark = scan_.Here();
                scan_.EachElement([&] {
                    First();
                    return false;
                });
                return scan_.SkipFrom(mark);
            }
            return Skip();
        });
    }

    // The first event of a batch: PostHog clients may tell the key only in its properties.
    void First() {
        if (scan_.Peek() != '{') return;
        scan_.EachField([&](std::string_view name) {
            if (name == "properties" && scan_.Peek() == '{') {
                return scan_.EachField([&](std::string_view inner) {
                    return inner == "token" ? Text(token_) : Skip();
                });
            }
            return Skip();
        });
    }

    bool Text(std::string& into) {
        const model::JsonSlice value = scan_.Take();
        if (value.kind == model::JsonKind::kString && into.empty()) {
            into = std::string(scan_.Text(value));
        }
        return !value.none();
    }

    model::JsonScan scan_;
    std::string key_;
    std::string token_;
};

}  // namespace

std::optional<Route> FindRoute(std::string_view path) {
    if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    std::string_view rest = path;
    if (After(rest, "/v1/projects/")) {
        return Keyed(Dialect::kSegment, Call::kSettings, rest, {"settings"});
    }
    if (After(rest, "/v1/")) return Under(Dialect::kSegment, rest, true);
    if (After(rest, "/rudder/v1/") || After(rest, "/beacon/v1/")) {
        return Under(Dialect::kRudder, rest);
    }
    if (path == "/sourceConfig") return Route{Dialect::kRudder, Call::kSourceConfig, {}};
    if (After(rest, "/api/s/s2s/") || After(rest, "/api/s/")) {
        return Under(Dialect::kJitsu, rest);
    }
    if (After(rest, "/api/public/apps/")) return Under(Dialect::kDittofeed, rest);
    if (After(rest, "/pixel/v1/")) {
        auto route = Under(Dialect::kPixel, rest);
        if (route && (route->call == Call::kBatch || route->call == Call::kImport)) return {};
        return route;
    }
    if (After(rest, "/array/")) {
        return Keyed(Dialect::kPosthog, Call::kArrayConfig, rest, {"config", "config.js"});
    }
    for (const std::string_view name :
         {"/batch", "/e", "/i/v0/e", "/capture", "/track", "/engage"}) {
        if (path == name) return Route{Dialect::kPosthog, Call::kBatch, {}};
    }
    if (path == "/flags" || path == "/decide") return Route{Dialect::kPosthog, Call::kFlags, {}};
    return std::nullopt;
}

std::optional<std::string> QueryValue(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const size_t amp = query.find('&');
        const std::string_view pair = query.substr(0, amp);
        const size_t equals = pair.find('=');
        if (pair.substr(0, equals) == name) {
            return equals == std::string_view::npos ? std::string()
                                                    : PercentDecoded(pair.substr(equals + 1));
        }
        if (amp == std::string_view::npos) break;
        query.remove_prefix(amp + 1);
    }
    return std::nullopt;
}

std::string FindKey(const KeyPlaces& places) {
    if (!places.authorization.empty()) {
        std::string key = KeyOfAuthorization(places.authorization);
        if (!key.empty()) return key;
    }
    const std::string_view header = Trimmed(places.x_write_key);
    if (!header.empty()) return std::string(header);
    for (const std::string_view name : {"writeKey", "write_key", "api_key", "token", "key"}) {
        if (auto key = QueryValue(places.query, name); key && !key->empty()) return *key;
    }
    return BodyKey().Find(places.body);
}

}  // namespace ingest
