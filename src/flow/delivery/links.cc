#include "flow/delivery/links.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "base/limits.h"

namespace delivery {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
char Low(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool IsLetter(char c) { return Low(c) >= 'a' && Low(c) <= 'z'; }

bool StartsWithLow(std::string_view text, std::string_view lower) {
    if (text.size() < lower.size()) return false;
    for (size_t i = 0; i < lower.size(); ++i) {
        if (Low(text[i]) != lower[i]) return false;
    }
    return true;
}

// Elements whose content is text, whatever it looks like.
constexpr std::array<std::string_view, 6> kRawText = {"script", "style",  "title",
                                                      "textarea", "xmp", "iframe"};

struct Href {
    size_t begin = 0;  // Of the value with its quotes.
    size_t end = 0;
    std::string_view raw;
};

struct Tag {
    std::string name;  // Lower case.
    bool has_href = false;
    bool untracked = false;
    Href href;
    size_t end = 0;  // Behind the '>'.
};

// One attribute from `at`, which stands on its first character; returns behind it.
size_t ReadAttribute(std::string_view html, size_t at, Tag& tag) {
    const size_t name_begin = at;
    while (at < html.size() && !IsSpace(html[at]) && html[at] != '>' && html[at] != '/' &&
           (html[at] != '=' || at == name_begin)) {
        ++at;
    }
    const std::string_view name = html.substr(name_begin, at - name_begin);
    if (name.size() == 14 && StartsWithLow(name, "data-untracked")) tag.untracked = true;
    size_t next = at;
    while (next < html.size() && IsSpace(html[next])) ++next;
    if (next >= html.size() || html[next] != '=') return at;
    ++next;
    while (next < html.size() && IsSpace(html[next])) ++next;
    Href value;
    value.begin = next;
    if (next < html.size() && (html[next] == '"' || html[next] == '\'')) {
        const size_t close = html.find(html[next], next + 1);
        if (close == std::string_view::npos) return html.size();  // Never ends: no tag at all.
        value.raw = html.substr(next + 1, close - next - 1);
        value.end = close + 1;
    } else {
        size_t stop = next;
        while (stop < html.size() && !IsSpace(html[stop]) && html[stop] != '>') ++stop;
        value.raw = html.substr(next, stop - next);
        value.end = stop;
    }
    // Of two the first counts, as in browsers.
    if (name.size() == 4 && StartsWithLow(name, "href") && !tag.has_href) {
        tag.has_href = true;
        tag.href = value;
    }
    return value.end;
}

// The start tag at `at` ('<' and a letter). False when the input ends within it.
bool ReadTag(std::string_view html, size_t at, Tag& tag) {
    ++at;
    const size_t name_begin = at;
    while (at < html.size() && !IsSpace(html[at]) && html[at] != '>' && html[at] != '/') ++at;
    tag.name = html.substr(name_begin, std::min<size_t>(at - name_begin, 16));
    std::transform(tag.name.begin(), tag.name.end(), tag.name.begin(), Low);
    while (at < html.size()) {
        if (html[at] == '>') {
            tag.end = at + 1;
            return true;
        }
        at = IsSpace(html[at]) || html[at] == '/' ? at + 1 : ReadAttribute(html, at, tag);
    }
    return false;
}

size_t SkipPast(std::string_view html, size_t at, std::string_view end) {
    const size_t found = html.find(end, at);
    return found == std::string_view::npos ? html.size() : found + end.size();
}

size_t SkipRawText(std::string_view html, size_t at, std::string_view name) {
    while ((at = html.find("</", at)) != std::string_view::npos) {
        if (StartsWithLow(html.substr(at + 2), name)) return at;
        at += 2;
    }
    return html.size();
}

// Calls `take` for every <a> and <area> that has an href, in order. Returns where the last whole
// tag or text ends: a tag that is cut off would swallow what is put behind it.
size_t ForEachLink(std::string_view html, const std::function<void(const Tag&)>& take) {
    size_t at = 0;
    while ((at = html.find('<', at)) != std::string_view::npos) {
        const std::string_view rest = html.substr(at);
        if (rest.starts_with("<!--")) {
            at = SkipPast(html, at + 4, "-->");
        } else if (rest.starts_with("<!") || rest.starts_with("<?") || rest.starts_with("</")) {
            at = SkipPast(html, at + 2, ">");
        } else if (rest.size() > 1 && IsLetter(rest[1])) {
            Tag tag;
            if (!ReadTag(html, at, tag)) return at;
            at = tag.end;
            if (tag.has_href && (tag.name == "a" || tag.name == "area")) take(tag);
            const bool raw = std::find(kRawText.begin(), kRawText.end(), tag.name) !=
                             kRawText.end();
            if (raw) at = SkipRawText(html, at, tag.name);
        } else {
            ++at;
        }
    }
    return html.size();
}

void AppendUtf8(std::string& out, uint32_t c) {
    if (c < 0x80) {
        out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
        out.push_back(static_cast<char>(0xc0 | c >> 6));
        out.push_back(static_cast<char>(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        out.push_back(static_cast<char>(0xe0 | c >> 12));
        out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
        out.push_back(static_cast<char>(0x80 | (c & 63)));
    } else {
        out.push_back(static_cast<char>(0xf0 | c >> 18));
        out.push_back(static_cast<char>(0x80 | (c >> 12 & 63)));
        out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
        out.push_back(static_cast<char>(0x80 | (c & 63)));
    }
}

// Length of the character reference at the front of `text` ('&'), decoded into `out`; 0: none.
size_t DecodeReference(std::string_view text, std::string& out) {
    static constexpr std::pair<std::string_view, char> kNamed[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (const auto& [name, character] : kNamed) {
        if (!text.starts_with(name)) continue;
        out.push_back(character);
        return name.size();
    }
    if (!text.starts_with("&#")) return 0;
    const bool hex = text.size() > 2 && Low(text[2]) == 'x';
    const char* begin = text.data() + (hex ? 3 : 2);
    const char* limit = text.data() + std::min<size_t>(text.size(), 12);
    if (begin >= limit) return 0;
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(begin, limit, code, hex ? 16 : 10);
    if (error != std::errc() || end == begin) return 0;
    const bool scalar = code != 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    AppendUtf8(out, scalar ? code : 0xfffd);
    const auto length = static_cast<size_t>(end - text.data());
    return length < text.size() && text[length] == ';' ? length + 1 : length;
}

std::string Decoded(std::string_view raw) {
    while (!raw.empty() && IsSpace(raw.front())) raw.remove_prefix(1);
    while (!raw.empty() && IsSpace(raw.back())) raw.remove_suffix(1);
    std::string out;
    for (size_t i = 0; i < raw.size();) {
        const size_t length = raw[i] == '&' ? DecodeReference(raw.substr(i), out) : 0;
        if (length == 0) out.push_back(raw[i]);
        i += std::max<size_t>(length, 1);
    }
    return out;
}

size_t SchemeLength(std::string_view url) {
    if (StartsWithLow(url, "https://")) return 8;
    if (StartsWithLow(url, "http://")) return 7;
    return 0;
}

// Spaces and non-ASCII bytes behind the host as percent codes, as browsers send them.
std::string PercentEncoded(std::string_view url) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    const size_t scheme = SchemeLength(url);
    const size_t path = scheme == 0 ? url.npos : url.find_first_of("/?#", scheme);
    if (path == url.npos) return std::string(url);
    std::string out(url.substr(0, path));
    for (const char c : url.substr(path)) {
        const auto byte = static_cast<uint8_t>(c);
        if (byte < 0x80 && byte != ' ') {
            out.push_back(c);
            continue;
        }
        out.push_back('%');
        out.push_back(kHex[byte >> 4]);
        out.push_back(kHex[byte & 15]);
    }
    return out;
}

bool IsKept(std::string_view url, const std::vector<std::string>& keep_prefixes) {
    return std::any_of(keep_prefixes.begin(), keep_prefixes.end(), [&](const std::string& prefix) {
        return !prefix.empty() && url.starts_with(prefix);
    });
}

struct Scanned {
    int untracked = 0;    // Left alone for a limit.
    size_t whole_end = 0;  // As ForEachLink returns it.
};

// Calls `take` with each trackable link and its number.
Scanned ForEachTracked(std::string_view html, const std::vector<std::string>& keep_prefixes,
                   const std::function<void(const Tag&, std::string, size_t)>& take) {
    Scanned scanned;
    size_t number = 0;
    scanned.whole_end = ForEachLink(html, [&](const Tag& tag) {
        if (tag.untracked) return;
        std::string url = PercentEncoded(Decoded(tag.href.raw));
        if (!IsWebUrl(url) || IsKept(url, keep_prefixes)) return;
        if (url.size() > limits::kTrackedUrlBytesMax || number >= limits::kTrackedLinksMax) {
            ++scanned.untracked;
            return;
        }
        take(tag, std::move(url), number++);
    });
    return scanned;
}

size_t BodyEnd(std::string_view html) {
    for (size_t at = html.rfind("</"); at != html.npos && html.size() - at < 4096;
         at = at == 0 ? html.npos : html.rfind("</", at - 1)) {
        if (StartsWithLow(html.substr(at + 2), "body")) return at;
    }
    return html.size();
}

bool IsWholeTag(std::string_view value, const std::vector<std::string>& whole_tags) {
    if (!value.starts_with("{{") || !value.ends_with("}}") || value.size() < 5) return false;
    value = value.substr(2, value.size() - 4);
    if (value.starts_with('-')) value.remove_prefix(1);
    if (value.ends_with('-')) value.remove_suffix(1);
    while (!value.empty() && IsSpace(value.front())) value.remove_prefix(1);
    while (!value.empty() && IsSpace(value.back())) value.remove_suffix(1);
    return std::find(whole_tags.begin(), whole_tags.end(), value) != whole_tags.end();
}

// True when what stands before the first Liquid tag already fixes scheme and host.
bool IsFixedHost(std::string_view before) {
    if (before.starts_with('#') || StartsWithLow(before, "mailto:") ||
        StartsWithLow(before, "tel:")) {
        return true;
    }
    const size_t scheme = SchemeLength(before);
    if (scheme == 0) return false;
    const size_t host_end = before.find_first_of("/?#", scheme);
    return host_end != before.npos && IsWebUrl(before.substr(0, host_end + 1));
}

}  // namespace

bool IsWebUrl(std::string_view url) {
    const size_t scheme = SchemeLength(url);
    if (scheme == 0) return false;
    const bool printable = std::all_of(url.begin(), url.end(), [](char c) {
        return c > 0x20 && c < 0x7f && c != '\\' && c != '"' && c != '<' && c != '>';
    });
    if (!printable) return false;
    const std::string_view authority =
        url.substr(scheme, std::min(url.find_first_of("/?#", scheme), url.size()) - scheme);
    const size_t colon = authority.rfind(':');
    std::string_view host = authority;
    if (colon != authority.npos && authority.back() != ']') {
        const std::string_view port = authority.substr(colon + 1);
        const bool digits = std::all_of(port.begin(), port.end(),
                                        [](char c) { return c >= '0' && c <= '9'; });
        if (!digits || port.size() > 5) return false;
        host = authority.substr(0, colon);
    }
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        return host.find_first_not_of("0123456789abcdefABCDEF:.", 1) == host.size() - 1;
    }
    return !host.empty() && host.front() != '.' && host.front() != '-' &&
           std::all_of(host.begin(), host.end(), [](char c) {
               return IsLetter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
           });
}

RewrittenHtml RewriteLinks(std::string_view html, const Token& token, const TokenScheme& scheme,
                           const LinkOptions& options) {
    RewrittenHtml out;
    out.html.reserve(html.size() + html.size() / 4 + 512);
    Token mine = token;
    size_t copied = 0;
    const Scanned scanned = ForEachTracked(
        html, options.keep_prefixes, [&](const Tag& tag, std::string url, size_t number) {
            if (!options.clicks) return;
            mine.purpose = Purpose::kClick;
            mine.link = static_cast<uint16_t>(number);
            mine.url = url;
            out.html.append(html.substr(copied, tag.href.begin - copied));
            out.html.append("\"").append(options.click_base).append(scheme.Write(mine));
            out.html.append("\"");
            // Nothing may touch a closing quote but a space, '/' or '>'.
            const char next = tag.href.end < html.size() ? html[tag.href.end] : '>';
            if (next != '>' && next != '/' && !IsSpace(next)) out.html.push_back(' ');
            copied = tag.href.end;
            out.links.push_back(std::move(url));
        });
    if (options.clicks) out.untracked = scanned.untracked;
    const size_t end = std::max(std::min(BodyEnd(html), scanned.whole_end), copied);
    out.html.append(html.substr(copied, end - copied));
    mine.link = 0;
    mine.url.clear();
    if (options.trap) {
        mine.purpose = Purpose::kTrap;
        out.html.append("<a href=\"").append(options.click_base).append(scheme.Write(mine));
        out.html.append("\" style=\"display:none\" aria-hidden=\"true\" tabindex=\"-1\"></a>");
    }
    if (options.pixel) {
        mine.purpose = Purpose::kOpen;
        out.html.append("<img src=\"").append(options.open_base).append(scheme.Write(mine));
        out.html.append(".gif\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0\">");
    }
    out.html.append(html.substr(end));
    return out;
}

std::vector<std::string> ExtractLinks(std::string_view html,
                                      const std::vector<std::string>& keep_prefixes) {
    std::vector<std::string> out;
    ForEachTracked(html, keep_prefixes, [&](const Tag&, std::string url, size_t) {
        out.push_back(std::move(url));
    });
    return out;
}

base::Status CheckLinkTags(std::string_view html_template,
                           const std::vector<std::string>& whole_tags) {
    base::Status status;
    ForEachLink(html_template, [&](const Tag& tag) {
        const std::string value = Decoded(tag.href.raw);
        const size_t liquid = std::min(value.find("{{"), value.find("{%"));
        if (!status || liquid == std::string::npos) return;
        if (IsWholeTag(value, whole_tags) || IsFixedHost(value.substr(0, liquid))) return;
        status = base::Invalid("a value may not decide where a link leads", value);
    });
    return status;
}

}  // namespace delivery
