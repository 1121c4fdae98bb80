#include "flow/ingest/source.h"

#include <algorithm>

#include "flow/ingest/source_tables.h"

namespace ingest {
namespace {

constexpr size_t kHostBytesMax = 253;  // RFC 1035 section 2.3.4, as text.

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

// Second-level labels under which countries register names: co.uk, com.au, ne.jp.
bool IsSecondLevel(std::string_view label) {
    return IsOneOf(label, {"co", "com", "ne", "or", "ac", "go", "org", "net", "gov", "edu", "gr",
                           "lg", "gob", "web"});
}

// Where the registrable name begins: "shop.example.co.jp" -> 5. An approximation: the last two
// labels, three under a second level of a country.
size_t RegistrableAt(std::string_view host) {
    size_t dot = host.rfind('.');
    if (dot == std::string_view::npos || dot == 0) return 0;
    const bool country = host.size() - dot - 1 == 2;
    size_t before = host.rfind('.', dot - 1);
    if (before == std::string_view::npos) return 0;
    if (country && IsSecondLevel(host.substr(before + 1, dot - before - 1)) && before > 0) {
        before = host.rfind('.', before - 1);
        if (before == std::string_view::npos) return 0;
    }
    return before + 1;
}

bool SameSite(std::string_view a, std::string_view b) {
    return a.substr(RegistrableAt(a)) == b.substr(RegistrableAt(b));
}

const SiteRow* FindRow(std::string_view host) {
    const SiteRow* const end = kSiteRows + kSiteRowCount;
    const SiteRow* row = std::lower_bound(
        kSiteRows, end, host, [](const SiteRow& r, std::string_view h) { return r.host < h; });
    return row != end && row->host == host ? row : nullptr;
}

// The same with the country's labels written as {}: google.co.jp -> google.{}, and for a leading
// one jp.ask.com -> {}.ask.com.
const SiteRow* FindCountryRow(std::string_view host) {
    char buffer[kHostBytesMax + 3];
    const size_t last = host.rfind('.');
    if (last == std::string_view::npos || host.size() > kHostBytesMax) return nullptr;
    const auto tail = [&](size_t keep) -> const SiteRow* {
        std::copy_n(host.data(), keep, buffer);
        std::copy_n("{}", 2, buffer + keep);
        return FindRow({buffer, keep + 2});
    };
    if (const SiteRow* row = tail(last + 1)) return row;
    const size_t before = last > 0 ? host.rfind('.', last - 1) : std::string_view::npos;
    if (before != std::string_view::npos &&
        IsSecondLevel(host.substr(before + 1, last - before - 1))) {
        if (const SiteRow* row = tail(before + 1)) return row;
    }
    const size_t first = host.find('.');
    if (first == 2) {
        const size_t rest = host.size() - first;
        std::copy_n("{}", 2, buffer);
        std::copy_n(host.data() + first, rest, buffer + 2);
        return FindRow({buffer, rest + 2});
    }
    return nullptr;
}

// Host of an address as it stands, without user, port and "www."; nothing is lower-cased.
std::string_view RawHost(std::string_view url) {
    const size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) {
        if (!url.starts_with("//")) return {};
        url.remove_prefix(2);
    } else {
        url.remove_prefix(scheme + 3);
    }
    std::string_view host = url.substr(0, url.find_first_of("/?#\\"));
    if (const size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    if (!host.empty() && host.front() == '[') return host.substr(0, host.find(']') + 1);
    host = host.substr(0, host.find(':'));
    if (!host.empty() && host.back() == '.') host.remove_suffix(1);
    if (host.size() > 4 && Lower(host[0]) == 'w' && Lower(host[1]) == 'w' &&
        Lower(host[2]) == 'w' && host[3] == '.') {
        host.remove_prefix(4);
    }
    return host.size() <= kHostBytesMax ? host : std::string_view{};
}

std::string_view PathOf(std::string_view url) {
    const size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    const size_t slash = url.find('/', scheme + 3);
    if (slash == std::string_view::npos) return {};
    return url.substr(slash, url.find_first_of("?#", slash) - slash);
}

std::string_view QueryOf(std::string_view url) {
    const size_t mark = url.find('?');
    if (mark == std::string_view::npos) return {};
    url.remove_prefix(mark + 1);
    return url.substr(0, url.find('#'));
}

struct ClickId {
    std::string_view param;
    std::string_view source;
    std::string_view medium;
    std::string_view kind;
};
// What the networks document their parameters for. fbclid is put on every link that leaves
// Facebook, ysclid on every organic result of Yandex: neither tells of an ad.
constexpr ClickId kClickIds[] = {
    {"gclid", "google", "cpc", "ad"},       {"gbraid", "google", "cpc", "ad"},
    {"wbraid", "google", "cpc", "ad"},      {"dclid", "google", "display", "ad"},
    {"yclid", "yandex", "cpc", "ad"},       {"msclkid", "bing", "cpc", "ad"},
    {"ttclid", "tiktok", "cpc", "ad"},      {"twclid", "twitter", "cpc", "ad"},
    {"li_fat_id", "linkedin", "cpc", "ad"}, {"ScCid", "snapchat", "cpc", "ad"},
    {"rdt_cid", "reddit", "cpc", "ad"},     {"epik", "pinterest", "social", "social"},
    {"fbclid", "facebook", "social", "social"}, {"ysclid", "yandex", "organic", "search"},
};

bool SameWord(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == y; });
}

// The kind of a visit by its medium, as marketers write it.
std::string_view KindOfMedium(std::string_view medium) {
    const auto is = [&](std::initializer_list<std::string_view> words) {
        return std::any_of(words.begin(), words.end(),
                           [&](std::string_view word) { return SameWord(medium, word); });
    };
    if (is({"cpc", "ppc", "paid", "paidsearch", "paid_search", "paidsocial", "paid_social", "cpm",
            "cpv", "cpa", "display", "banner", "retargeting", "remarketing", "ad", "ads"})) {
        return "ad";
    }
    if (is({"email", "e-mail", "mail", "newsletter"})) return "email";
    if (is({"social", "social-network", "social-media", "social_media", "sm", "sns"})) {
        return "social";
    }
    if (is({"organic"})) return "search";
    if (is({"referral", "affiliate", "partner"})) return "referral";
    return "campaign";
}

std::string_view MediumOf(SiteKind kind) {
    switch (kind) {
        case SiteKind::kSearch: return "organic";
        case SiteKind::kSocial: return "social";
        case SiteKind::kAi: return "ai";
        case SiteKind::kMail: return "email";
        case SiteKind::kUnknown: break;
    }
    return "referral";
}

std::string_view KindOf(SiteKind kind) {
    switch (kind) {
        case SiteKind::kSearch: return "search";
        case SiteKind::kSocial: return "social";
        case SiteKind::kAi: return "ai";
        case SiteKind::kMail: return "email";
        case SiteKind::kUnknown: break;
    }
    return "referral";
}

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

struct SourceReader::Query {
    CampaignTags tags;
    std::string_view click_id;
    const ClickId* click = nullptr;
};

KnownSite FindSite(std::string_view host, std::string_view path) {
    const SiteRow* row = nullptr;
    if (path.size() > 1) {
        const std::string with_path = std::string(host) + std::string(path);
        // Paths in the lists are two labels deep at most ("x.com/i/grok").
        for (size_t end = with_path.size(); row == nullptr && end > host.size();
             end = with_path.rfind('/', end - 1)) {
            if (end == std::string::npos) break;
            row = FindRow(std::string_view(with_path).substr(0, end));
        }
    }
    if (row == nullptr) row = FindRow(host);
    if (row == nullptr) row = FindCountryRow(host);
    // Sub-domains belong to social sites and assistants, not to engines: mail.google.com is no
    // search.
    std::string_view parent = host;
    while (row == nullptr) {
        const size_t dot = parent.find('.');
        if (dot == std::string_view::npos) return {};
        parent.remove_prefix(dot + 1);
        row = FindRow(parent);
        if (row != nullptr && row->kind == SiteKind::kSearch) return {};
    }
    return {row->kind, row->name, row->term_param};
}

std::string HostOf(std::string_view url) {
    std::string host(RawHost(url));
    for (char& c : host) c = Lower(c);
    return host;
}

// `memory_` never grows past what Read reserved: every piece is at most as long as its input.
std::string_view SourceReader::Host(std::string_view url) {
    const std::string_view raw = RawHost(url);
    const size_t begin = memory_.size();
    for (const char c : raw) memory_.push_back(Lower(c));
    return std::string_view(memory_).substr(begin);
}

std::string_view SourceReader::Decoded(std::string_view raw) {
    if (raw.find_first_of("%+") == std::string_view::npos) return raw;
    const size_t begin = memory_.size();
    for (size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '+') {
            memory_.push_back(' ');
        } else if (raw[i] == '%' && i + 2 < raw.size() && HexDigit(raw[i + 1]) >= 0 &&
                   HexDigit(raw[i + 2]) >= 0) {
            memory_.push_back(static_cast<char>(HexDigit(raw[i + 1]) * 16 + HexDigit(raw[i + 2])));
            i += 2;
        } else {
            memory_.push_back(raw[i]);
        }
    }
    return std::string_view(memory_).substr(begin);
}

SourceReader::Query SourceReader::ReadQuery(std::string_view url) {
    Query out;
    std::string_view query = QueryOf(url);
    while (!query.empty()) {
        const size_t amp = query.find('&');
        const std::string_view pair = query.substr(0, amp);
        const size_t equals = pair.find('=');
        if (equals != std::string_view::npos && equals + 1 < pair.size()) {
            const std::string_view name = pair.substr(0, equals);
            const std::string_view value = pair.substr(equals + 1);
            if (name == "utm_source") out.tags.source = Decoded(value);
            if (name == "utm_medium") out.tags.medium = Decoded(value);
            if (name == "utm_campaign") out.tags.name = Decoded(value);
            if (name == "utm_term") out.tags.term = Decoded(value);
            if (name == "utm_content") out.tags.content = Decoded(value);
            for (const ClickId& click : kClickIds) {
                if (click.param != name) continue;
                // An ad's id beats the id that a network puts on every link.
                if (out.click != nullptr && (out.click->kind == "ad" || click.kind != "ad")) break;
                const size_t begin = memory_.size();
                memory_.append(name).push_back(':');
                memory_.append(value);
                out.click_id = std::string_view(memory_).substr(begin);
                out.click = &click;
            }
        }
        if (amp == std::string_view::npos) break;
        query.remove_prefix(amp + 1);
    }
    return out;
}

model::Source SourceReader::Read(const CampaignTags& tags, std::string_view page_url,
                                 std::string_view referrer) {
    memory_.clear();
    // The query's pieces are copied at most twice (decoded, or as a click id with its name).
    memory_.reserve(3 * page_url.size() + 2 * referrer.size() + 64);
    model::Source out;
    const Query query = ReadQuery(page_url);
    const bool tagged = !tags.source.empty() || !tags.medium.empty() || !tags.name.empty();
    const CampaignTags& t = tagged ? tags : query.tags;
    if (page_url.empty() && !tagged) return out;
    const std::string_view page_host = Host(page_url);
    const std::string_view from = Host(referrer);
    const bool internal = !from.empty() && !page_host.empty() && SameSite(from, page_host);
    KnownSite site;
    if (!from.empty() && !internal) {
        site = FindSite(from, PathOf(referrer));
        out.referrer_host = from;
    }
    out.source = t.source;
    out.medium = t.medium;
    out.campaign = t.name;
    out.term = t.term;
    out.content = t.content;
    out.click_id = query.click_id;
    const bool has_tags = !t.source.empty() || !t.medium.empty() || !t.name.empty();
    if (query.click != nullptr) {
        // Yahoo Japan and Yandex both call theirs yclid; the referrer tells which.
        const bool yahoo = query.click->param == "yclid" && site.name.starts_with("yahoo");
        if (out.source.empty()) out.source = yahoo ? "yahoo" : query.click->source;
        if (out.medium.empty()) out.medium = query.click->medium;
        out.kind = has_tags && !t.medium.empty() ? KindOfMedium(t.medium) : query.click->kind;
        return out;
    }
    if (has_tags) {
        if (out.medium.empty() && site.kind != SiteKind::kUnknown) out.medium = MediumOf(site.kind);
        out.kind = KindOfMedium(out.medium);
        return out;
    }
    if (internal) {
        out.kind = "internal";
        return out;
    }
    if (from.empty()) {
        out.kind = "direct";
        out.source = "direct";
        out.medium = "none";
        return out;
    }
    out.kind = KindOf(site.kind);
    out.medium = MediumOf(site.kind);
    out.source = site.kind == SiteKind::kUnknown ? from : site.name;
    if (!site.term_param.empty()) {
        std::string_view words = QueryOf(referrer);
        while (!words.empty()) {
            const size_t amp = words.find('&');
            const std::string_view pair = words.substr(0, amp);
            if (pair.size() > site.term_param.size() + 1 && pair.starts_with(site.term_param) &&
                pair[site.term_param.size()] == '=') {
                out.term = Decoded(pair.substr(site.term_param.size() + 1));
                break;
            }
            if (amp == std::string_view::npos) break;
            words.remove_prefix(amp + 1);
        }
    }
    return out;
}

}  // namespace ingest
