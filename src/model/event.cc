#include "model/event.h"

#include <emmintrin.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/json.h"
#include "base/limits.h"
#include "model/json_scan.h"

namespace model {
namespace {

constexpr std::string_view kTypes[] = {"track", "page", "screen", "identify", "group", "alias"};
constexpr std::string_view kNames[] = {"", "Page", "Screen", "Identify", "Group", "Alias"};
constexpr std::string_view kTrusts[] = {"public", "signed", "secret"};

// An escape is at most six bytes for one.
constexpr size_t kEscapedMax = 6;
// Keys, punctuation and numbers of an event without its texts and objects.
constexpr size_t kFrameBytesMax = 1024;

// Writes into the thread's scratch, which is large enough beforehand, then appends what was
// written: a string cannot grow without being filled first. `open` is ',"key":' ready made; empty
// values are left out.
class Writer {
  public:
    explicit Writer(size_t bytes_max) {
        static thread_local std::unique_ptr<char[]> scratch;
        static thread_local size_t size = 0;
        if (size < bytes_max) {
            size = std::max(bytes_max, 2 * size);
            scratch.reset(new char[size]);
        }
        begin_ = at_ = scratch.get();
    }
    void AppendTo(std::string& out) const { out.append(begin_, at_); }

    void Put(std::string_view text) {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }

    void String(std::string_view text) {
        char* const begin = at_;
        *at_++ = '"';
        const char* p = text.data();
        size_t left = text.size();
        for (; left >= 16; left -= 16, p += 16, at_ += 16) {
            const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(at_), v);
            // Signed compare: bytes from 0x80 count as below 0x20.
            __m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
            odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
            odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
            odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
            if (_mm_movemask_epi8(odd) != 0) return Escaped(begin, text);
        }
        for (; left > 0; --left) {
            const char c = *p++;
            if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) return Escaped(begin, text);
            *at_++ = c;
        }
        *at_++ = '"';
    }

    void Text(std::string_view open, std::string_view value) {
        if (value.empty()) return;
        Put(open);
        String(value);
    }
    void Raw(std::string_view open, std::string_view json) {
        if (json.empty()) return;
        Put(open);
        Put(json);
    }
    void Number(std::string_view open, int64_t value) {
        Put(open);
        at_ = std::to_chars(at_, at_ + 24, value).ptr;
    }
    void Person(const PersonId& id) {
        static constexpr char kDigits[] = "0123456789abcdef";
        for (int i = 0; i < 16; ++i) {
            at_[i] = kDigits[id.hi >> (60 - 4 * i) & 15];
            at_[16 + i] = kDigits[id.lo >> (60 - 4 * i) & 15];
        }
        at_ += 32;
    }

    struct Part {
        std::string_view open;  // '"key":'
        std::string_view value;
    };
    // An object of texts; nothing when all are empty.
    template <size_t N>
    void Parts(std::string_view open, const Part (&parts)[N]) {
        bool any = false;
        for (const Part& part : parts) {
            if (part.value.empty()) continue;
            Put(any ? std::string_view(",") : open);
            if (!any) *at_++ = '{';
            any = true;
            Put(part.open);
            String(part.value);
        }
        if (any) *at_++ = '}';
    }

  private:
    // Text with escapes or beyond ASCII.
    void Escaped(char* begin, std::string_view text) {
        std::string escaped;
        base::AppendJsonString(escaped, text);
        at_ = begin;
        Put(escaped);
    }

    char* begin_;
    char* at_;
};

// The most bytes an event can take.
size_t BytesMax(const Event& e) {
    size_t texts = 0, objects = 0;
    for (const std::string_view t :
         {e.name, e.message_id, e.user_id, e.anonymous_id, e.email, e.previous_id, e.group_id,
          e.source_key, e.locale, e.timezone, e.user_agent, e.place.country, e.place.region,
          e.place.city, e.device.type, e.device.os, e.device.browser, e.source.kind,
          e.source.source, e.source.medium, e.source.campaign, e.source.term, e.source.content,
          e.source.click_id, e.source.referrer_host}) {
        texts += t.size();
    }
    for (const std::string_view o : {e.properties, e.traits, e.traits_once, e.page, e.campaign,
                                     e.library, e.more, e.extra}) {
        objects += o.size();
    }
    return kFrameBytesMax + kEscapedMax * texts + objects;
}

int64_t Integer(std::string_view text) {
    int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// 32 lower-case hex digits.
bool ReadPerson(std::string_view text, PersonId& id) {
    if (text.size() != 32) return false;
    uint64_t halves[2] = {0, 0};
    for (int i = 0; i < 32; ++i) {
        const char c = text.data()[i];
        uint64_t digit = static_cast<uint64_t>(c - '0');
        if (digit > 9) {
            digit = static_cast<uint64_t>(c - 'a') + 10;
            if (c < 'a' || digit > 15) return false;
        }
        halves[i >> 4] = halves[i >> 4] << 4 | digit;
    }
    id.hi = halves[0];
    id.lo = halves[1];
    return true;
}

const Property* FindLast(std::span<const Property> properties, std::string_view key) {
    for (size_t i = properties.size(); i > 0; --i) {
        if (properties[i - 1].key == key) return &properties[i - 1];
    }
    return nullptr;
}

}  // namespace

std::string_view EventTypeName(EventType type) { return kTypes[static_cast<size_t>(type)]; }

bool EventTypeOf(std::string_view name, EventType& type) {
    for (size_t i = 0; i < std::size(kTypes); ++i) {
        if (kTypes[i] == name) {
            type = static_cast<EventType>(i);
            return true;
        }
    }
    return false;
}

std::string_view StandingName(EventType type) { return kNames[static_cast<size_t>(type)]; }
std::string_view TrustName(Trust trust) { return kTrusts[static_cast<size_t>(trust)]; }

void AppendEventJson(std::string& out, const Event& e) {
    Writer w(BytesMax(e));
    w.Put(R"({"v":1,"type":")");
    w.Put(EventTypeName(e.type));
    w.Put(R"(","name":)");
    w.String(e.name);
    w.Text(R"(,"message_id":)", e.message_id);
    w.Text(R"(,"user_id":)", e.user_id);
    w.Text(R"(,"anonymous_id":)", e.anonymous_id);
    w.Text(R"(,"email":)", e.email);
    w.Text(R"(,"previous_id":)", e.previous_id);
    w.Text(R"(,"group_id":)", e.group_id);
    w.Number(R"(,"time_ms":)", e.time_ms);
    if (e.time_clamped) w.Put(R"(,"time_clamped":true)");
    w.Number(R"(,"received_ms":)", e.received_ms);
    w.Put(R"(,"trust":")");
    w.Put(TrustName(e.trust));
    w.Put("\"");
    w.Text(R"(,"key":)", e.source_key);
    if (e.import) w.Put(R"(,"import":true)");
    if (e.is_bot) w.Put(R"(,"bot":true)");
    if (!IsNobody(e.person)) {
        w.Put(R"(,"person":")");
        w.Person(e.person);
        w.Put("\"");
    }
    w.Raw(R"(,"properties":)", e.properties);
    w.Raw(R"(,"traits":)", e.traits);
    w.Raw(R"(,"traits_once":)", e.traits_once);
    w.Raw(R"(,"page":)", e.page);
    w.Raw(R"(,"campaign":)", e.campaign);
    w.Text(R"(,"locale":)", e.locale);
    w.Text(R"(,"timezone":)", e.timezone);
    w.Text(R"(,"user_agent":)", e.user_agent);
    w.Raw(R"(,"library":)", e.library);
    w.Raw(R"(,"more":)", e.more);
    w.Parts(R"(,"place":)",
          {{R"("country":)", e.place.country},
           {R"("region":)", e.place.region},
           {R"("city":)", e.place.city}});
    w.Parts(R"(,"device":)",
          {{R"("type":)", e.device.type},
           {R"("os":)", e.device.os},
           {R"("browser":)", e.device.browser}});
    w.Parts(R"(,"source":)",
          {{R"("kind":)", e.source.kind},
           {R"("source":)", e.source.source},
           {R"("medium":)", e.source.medium},
           {R"("campaign":)", e.source.campaign},
           {R"("term":)", e.source.term},
           {R"("content":)", e.source.content},
           {R"("click_id":)", e.source.click_id},
           {R"("referrer_host":)", e.source.referrer_host}});
    w.Raw(R"(,"extra":)", e.extra);
    w.Put("}");
    w.AppendTo(out);
}

uint64_t EventFingerprint(const base::SipKey& secret, std::string_view source_key,
                          std::string_view message_id) {
    // The key's length goes in front, so that no two pairs read as the same text.
    char buffer[256];
    const size_t size = 1 + source_key.size() + message_id.size();
    std::string large;
    char* text = buffer;
    if (size > sizeof buffer) {
        large.resize(size);
        text = large.data();
    }
    text[0] = static_cast<char>(source_key.size());
    std::memcpy(text + 1, source_key.data(), source_key.size());
    std::memcpy(text + 1 + source_key.size(), message_id.data(), message_id.size());
    const uint64_t hash = base::SipHash128(secret, {text, size}).lo;
    return hash != 0 ? hash : 1;
}

bool LooksLikeEmail(std::string_view text) {
    if (text.size() < 3 || text.size() > 254) return false;
    const size_t at = text.find('@');
    if (at == 0 || at == std::string_view::npos || at > 64) return false;
    const std::string_view domain = text.substr(at + 1);
    if (domain.find('@') != std::string_view::npos) return false;
    const size_t dot = domain.find('.');
    if (dot == 0 || dot == std::string_view::npos || domain.back() == '.' ||
        domain.find("..") != std::string_view::npos) {
        return false;
    }
    for (const char c : text) {
        const auto b = static_cast<uint8_t>(c);
        if (b <= ' ' || b == 0x7f || c == ',' || c == ';' || c == '<' || c == '>' || c == '"') {
            return false;
        }
    }
    return true;
}

const Property* EventView::FindProperty(std::string_view key) const {
    return FindLast(properties, key);
}
const Property* EventView::FindTrait(std::string_view key) const { return FindLast(traits, key); }

struct EventReader::Impl {
    JsonScan scan;
    std::string copy;
    std::vector<Property> properties;
    std::vector<Property> traits;
    std::vector<Property> traits_once;

    std::string_view String() { return scan.Text(scan.Take()); }

    // Reads an object into `into`; gives its raw text.
    bool Fields(std::vector<Property>& into, std::string_view& raw) {
        into.clear();
        const size_t begin = scan.Position();
        const bool read = scan.EachField([&](std::string_view key) {
            const JsonSlice value = scan.Take();
            Property& p = into.emplace_back();
            p.key = key;
            switch (value.kind) {
                case JsonKind::kNone: return false;
                case JsonKind::kString:
                    p.kind = Property::Kind::kText;
                    p.text = scan.Text(value);
                    return true;
                case JsonKind::kNumber:
                    p.kind = Property::Kind::kNumber;
                    p.number = JsonNumber(value.raw);
                    break;
                case JsonKind::kTrue:
                    p.kind = Property::Kind::kBool;
                    p.truth = true;
                    p.number = 1;
                    break;
                case JsonKind::kFalse: p.kind = Property::Kind::kBool; break;
                case JsonKind::kNull: p.kind = Property::Kind::kNull; break;
                case JsonKind::kObject:
                case JsonKind::kArray: p.kind = Property::Kind::kJson; break;
            }
            p.text = value.raw;
            return true;
        });
        if (read) raw = scan.ContainerSince(begin);
        return read;
    }

    // An object whose texts of known names are wanted; others are passed over.
    template <typename F>
    bool Texts(F&& slot) {
        return scan.EachField([&](std::string_view key) {
            const JsonSlice value = scan.Take();
            if (value.none()) return false;
            if (value.kind != JsonKind::kString) return true;
            if (std::string_view* into = slot(key)) *into = scan.Text(value);
            return true;
        });
    }

    bool Page(EventView::Page& page) {
        return Texts([&](std::string_view key) -> std::string_view* {
            if (key == "path") return &page.path;
            if (key == "url") return &page.url;
            if (key == "referrer") return &page.referrer;
            if (key == "title") return &page.title;
            if (key == "search") return &page.search;
            return nullptr;
        });
    }

    bool PlaceParts(Place& place) {
        return Texts([&](std::string_view key) -> std::string_view* {
            if (key == "country") return &place.country;
            if (key == "region") return &place.region;
            if (key == "city") return &place.city;
            return nullptr;
        });
    }

    bool DeviceParts(Device& device) {
        return Texts([&](std::string_view key) -> std::string_view* {
            if (key == "type") return &device.type;
            if (key == "os") return &device.os;
            if (key == "browser") return &device.browser;
            return nullptr;
        });
    }

    bool SourceParts(Source& source) {
        return Texts([&](std::string_view key) -> std::string_view* {
            if (key == "kind") return &source.kind;
            if (key == "source") return &source.source;
            if (key == "medium") return &source.medium;
            if (key == "campaign") return &source.campaign;
            if (key == "term") return &source.term;
            if (key == "content") return &source.content;
            if (key == "click_id") return &source.click_id;
            if (key == "referrer_host") return &source.referrer_host;
            return nullptr;
        });
    }

    // Objects, and true or numbers, by their key. Sets `known` false for other keys.
    bool Shaped(std::string_view key, EventView& v, bool& known);
    // The slot of a key whose value is a string.
    static std::string_view* Slot(std::string_view key, EventView& v);
    bool Field(std::string_view key, EventView& v, int& needed);
    bool Read(std::string_view payload, EventView& v);
};

std::string_view* EventReader::Impl::Slot(std::string_view key, EventView& v) {
    switch (key.size()) {
        case 3: return key == "key" ? &v.source_key : nullptr;
        case 4: return key == "name" ? &v.name : nullptr;
        case 5: return key == "email" ? &v.email : nullptr;
        case 6: return key == "locale" ? &v.locale : nullptr;
        case 7: return key == "user_id" ? &v.user_id : nullptr;
        case 8:
            if (key == "group_id") return &v.group_id;
            return key == "timezone" ? &v.timezone : nullptr;
        case 10:
            if (key == "message_id") return &v.message_id;
            return key == "user_agent" ? &v.user_agent : nullptr;
        case 11: return key == "previous_id" ? &v.previous_id : nullptr;
        case 12: return key == "anonymous_id" ? &v.anonymous_id : nullptr;
        default: return nullptr;
    }
}

bool EventReader::Impl::Shaped(std::string_view key, EventView& v, bool& known) {
    std::string_view raw;
    switch (key[0]) {
        case 'p':
            if (key == "properties") {
                if (!Fields(properties, v.properties_json)) return false;
                v.properties = properties;
                return true;
            }
            if (key == "page") return Page(v.page);
            if (key == "place") return PlaceParts(v.place);
            break;
        case 't':
            if (key == "traits") {
                if (!Fields(traits, v.traits_json)) return false;
                v.traits = traits;
                return true;
            }
            if (key == "traits_once") {
                if (!Fields(traits_once, raw)) return false;
                v.traits_once = traits_once;
                return true;
            }
            break;
        case 'd':
            if (key == "device") return DeviceParts(v.device);
            break;
        case 's':
            if (key == "source") return SourceParts(v.source);
            break;
        default: break;
    }
    known = false;
    return true;
}

bool EventReader::Impl::Field(std::string_view key, EventView& v, int& needed) {
    if (key.empty()) return !scan.Take().none();
    const char c = scan.Peek();
    if (c == '{') {
        bool known = true;
        if (!Shaped(key, v, known)) return false;
        if (known) return true;
        const JsonSlice value = scan.Take();
        if (key == "campaign") v.campaign_json = value.raw;
        if (key == "library") v.library_json = value.raw;
        if (key == "more") v.more_json = value.raw;
        if (key == "extra") v.extra_json = value.raw;
        return !value.none();
    }
    if (c == '"') {
        if (std::string_view* slot = Slot(key, v)) {
            *slot = String();
            return scan.fault() == JsonScan::Fault::kNone;
        }
    }
    const JsonSlice value = scan.Take();
    if (value.none()) return false;
    if (key == "v") {
        if (value.raw != "1") return false;
        needed |= 1;
    } else if (key == "type") {
        if (!EventTypeOf(scan.Text(value), v.type)) return false;
        needed |= 2;
    } else if (key == "time_ms") {
        v.time_ms = Integer(value.raw);
        needed |= 4;
    } else if (key == "received_ms") {
        v.received_ms = Integer(value.raw);
    } else if (key == "trust") {
        const auto name = scan.Text(value);
        v.trust = name == "secret"   ? Trust::kSecret
                  : name == "signed" ? Trust::kSigned
                                     : Trust::kPublicKey;
    } else if (key == "person") {
        return ReadPerson(scan.Text(value), v.person);
    } else if (key == "time_clamped") {
        v.time_clamped = value.kind == JsonKind::kTrue;
    } else if (key == "import") {
        v.import = value.kind == JsonKind::kTrue;
    } else if (key == "bot") {
        v.is_bot = value.kind == JsonKind::kTrue;
    }
    return true;
}

bool EventReader::Impl::Read(std::string_view payload, EventView& v) {
    v = EventView{};
    // The payload wraps the client's objects in one level of our own.
    if (!scan.Open(payload, limits::kJsonDepthMax + 1)) return false;
    int needed = 0;
    const bool read =
        scan.EachField([&](std::string_view key) { return Field(key, v, needed); });
    return read && scan.AtEnd() && needed == 7;
}

EventReader::EventReader() : impl_(std::make_unique<Impl>()) {}
EventReader::~EventReader() = default;
EventReader::EventReader(EventReader&&) noexcept = default;
EventReader& EventReader::operator=(EventReader&&) noexcept = default;

bool EventReader::Read(std::string_view payload, EventView& view) {
    return impl_->Read(payload, view);
}

bool EventReader::ReadCopy(std::string_view payload, EventView& view) {
    impl_->copy.reserve(payload.size() + kJsonPadding);
    impl_->copy.assign(payload);
    return impl_->Read(impl_->copy, view);
}

}  // namespace model
