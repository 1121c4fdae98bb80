#include <algorithm>

#include "base/hash.h"
#include "language/liquid/filters.h"
#include "language/liquid/number.h"
#include "language/liquid/text.h"

namespace liquid {

namespace {

using Call = FilterCallContext;

Value Append(Call& call, const Value& input) {
    std::string text(call.TextOf(input));
    text += call.TextOf(call.Argument(0));
    return call.NewText(text);
}

Value Prepend(Call& call, const Value& input) {
    std::string text(call.TextOf(call.Argument(0)));
    text += call.TextOf(input);
    return call.NewText(text);
}

Value Base64Encode(Call& call, const Value& input) {
    return call.NewText(base::Base64Encode(call.TextOf(input)));
}

Value Base64UrlEncode(Call& call, const Value& input) {
    std::string text = base::Base64Encode(call.TextOf(input));
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return call.NewText(text);
}

Value Base64Decode(Call& call, const Value& input) {
    if (input.IsNil()) return Value::Text("");
    std::string text;
    if (!input.IsString() || !base::Base64Decode(call.TextOf(input), text) || !IsUtf8(text)) {
        return call.Fail("this is not base64 of a text");
    }
    return call.NewText(text);
}

Value CapitalizeText(Call& call, const Value& input) {
    return call.NewText(Capitalize(call.TextOf(input)));
}

Value DowncaseText(Call& call, const Value& input) {
    return call.NewText(Downcase(call.TextOf(input)));
}

Value UpcaseText(Call& call, const Value& input) {
    return call.NewText(Upcase(call.TextOf(input)));
}

Value Escape(Call& call, const Value& input) {
    if (input.IsNil()) return {};
    std::string text;
    AppendHtmlEscaped(text, call.TextOf(input));
    return call.NewSafeText(text);
}

Value EscapeOnce(Call& call, const Value& input) {
    if (input.IsNil()) return {};
    std::string text;
    AppendHtmlEscapedOnce(text, call.TextOf(input));
    return call.NewSafeText(text);
}

Value Raw(Call& call, const Value& input) {
    return Value::SafeText(call.TextOf(input));
}

Value NewlineToBr(Call& call, const Value& input) {
    std::string text(call.TextOf(input));
    // The <br /> has to stay, so under escape_html the text around it is escaped here.
    if (call.escape_html() && !input.safe()) {
        std::string escaped;
        AppendHtmlEscaped(escaped, text);
        text = std::move(escaped);
    }
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        if (text[i] == '\n') out += "<br />";
        out += text[i];
    }
    return call.escape_html() ? call.NewSafeText(out) : call.NewText(out);
}

Value LeftStrip(Call& call, const Value& input) {
    return Value::Text(LeftStripped(call.TextOf(input)));
}

Value RightStrip(Call& call, const Value& input) {
    return Value::Text(RightStripped(call.TextOf(input)));
}

Value Strip(Call& call, const Value& input) {
    return Value::Text(Stripped(call.TextOf(input)));
}

Value StripHtmlText(Call& call, const Value& input) {
    return call.NewText(StripHtml(call.TextOf(input)));
}

Value StripNewlines(Call& call, const Value& input) {
    const std::string_view text = call.TextOf(input);
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        if (text[i] != '\n') out += text[i];
    }
    return call.NewText(out);
}

Value ReplaceAll(Call& call, std::string_view text, std::string_view from, std::string_view to) {
    const size_t most = call.text_bytes_max();
    std::string out;
    if (from.empty()) {
        // Between all characters, as the reference does.
        for (size_t at = 0; at < text.size() && out.size() <= most;) {
            const size_t bytes = CharacterBytes(text, at);
            out += to;
            out.append(text, at, bytes);
            at += bytes;
        }
        out += to;
        return call.NewText(out);
    }
    size_t at = 0;
    while (out.size() <= most) {
        const size_t found = FindText(text, from, at);
        if (found == std::string_view::npos) break;
        out.append(text, at, found - at);
        out += to;
        at = found + from.size();
    }
    out.append(text, at, text.size() - at);
    return call.NewText(out);
}

Value ReplaceAt(Call& call, std::string_view text, size_t found, size_t bytes,
                std::string_view to) {
    if (found == std::string_view::npos) return call.NewText(text);
    std::string out(text.substr(0, found));
    out += to;
    out += text.substr(found + bytes);
    return call.NewText(out);
}

Value Replace(Call& call, const Value& input) {
    const std::string_view text = call.TextOf(input);
    const std::string_view from = call.TextOf(call.Argument(0));
    return ReplaceAll(call, text, from, call.TextOf(call.Argument(1)));
}

Value ReplaceFirst(Call& call, const Value& input) {
    const std::string_view text = call.TextOf(input);
    const std::string_view from = call.TextOf(call.Argument(0));
    return ReplaceAt(call, text, FindText(text, from), from.size(),
                     call.TextOf(call.Argument(1)));
}

Value ReplaceLast(Call& call, const Value& input) {
    const std::string_view text = call.TextOf(input);
    const std::string_view from = call.TextOf(call.Argument(0));
    return ReplaceAt(call, text, FindLastText(text, from), from.size(),
                     call.TextOf(call.Argument(1)));
}

Value Remove(Call& call, const Value& input) {
    const std::string_view text = call.TextOf(input);
    const std::string_view from = call.TextOf(call.Argument(0));
    return from.empty() ? call.NewText(text) : ReplaceAll(call, text, from, {});
}

Value Split(Call& call, const Value& input) {
    const std::string_view text = call.TextOf(input);
    const std::string_view mark = call.TextOf(call.Argument(0));
    std::vector<std::string_view> parts;
    if (mark == " ") {
        parts = Words(text);
    } else if (mark.empty()) {
        for (size_t at = 0; at < text.size();) {
            const size_t bytes = CharacterBytes(text, at);
            parts.push_back(text.substr(at, bytes));
            at += bytes;
        }
    } else {
        size_t at = 0;
        for (size_t found = FindText(text, mark); found != std::string_view::npos;
             found = FindText(text, mark, at)) {
            parts.push_back(text.substr(at, found - at));
            at = found + mark.size();
        }
        parts.push_back(text.substr(at));
        while (!parts.empty() && parts.back().empty()) parts.pop_back();
    }
    if (!call.Spend(static_cast<int64_t>(parts.size()))) return {};
    Value* const items = call.arena().Make<Value>(parts.size());
    for (size_t i = 0; i < parts.size(); ++i) items[i] = Value::Text(parts[i]);
    return Value::Array({items, parts.size()});
}

Value Truncate(Call& call, const Value& input) {
    if (input.IsNil()) return {};
    const std::string_view text = call.TextOf(input);
    std::optional<int64_t> length = 50;
    if (call.count() > 0) length = ToWhole(call.Argument(0));
    if (!length) return call.Fail("truncate needs a whole number");
    const std::string_view end = call.count() > 1 ? call.TextOf(call.Argument(1)) : "...";
    const auto most = static_cast<size_t>(std::max<int64_t>(*length, 0));
    if (CharacterCount(text) <= most) return call.NewText(text);
    const size_t end_length = CharacterCount(end);
    std::string out(Characters(text, 0, most > end_length ? most - end_length : 0));
    out += end;
    return call.NewText(out);
}

Value TruncateWords(Call& call, const Value& input) {
    if (input.IsNil()) return {};
    const std::string_view text = call.TextOf(input);
    std::optional<int64_t> count = 15;
    if (call.count() > 0) count = ToWhole(call.Argument(0));
    if (!count) return call.Fail("truncatewords needs a whole number");
    const std::string_view end = call.count() > 1 ? call.TextOf(call.Argument(1)) : "...";
    const std::vector<std::string_view> words = Words(text);
    const auto most = static_cast<size_t>(std::max<int64_t>(*count, 1));
    if (words.size() <= most) return call.NewText(text);
    std::string out;
    for (size_t i = 0; i < most; ++i) {
        if (i > 0) out += ' ';
        out += words[i];
    }
    out += end;
    return call.NewText(out);
}

Value UrlEncodeText(Call& call, const Value& input) {
    if (input.IsNil()) return {};
    return call.NewText(UrlEncode(call.TextOf(input)));
}

Value UrlDecodeText(Call& call, const Value& input) {
    if (input.IsNil()) return {};
    const std::string text = UrlDecode(call.TextOf(input));
    if (!IsUtf8(text)) return call.Fail("the decoded address is not UTF-8");
    return call.NewText(text);
}

constexpr Filter kFilters[] = {
    {"append", 1, 1, Append},
    {"base64_decode", 0, 0, Base64Decode},
    {"base64_encode", 0, 0, Base64Encode},
    {"base64_url_safe_decode", 0, 0, Base64Decode},
    {"base64_url_safe_encode", 0, 0, Base64UrlEncode},
    {"capitalize", 0, 0, CapitalizeText},
    {"downcase", 0, 0, DowncaseText},
    {"escape", 0, 0, Escape},
    {"escape_once", 0, 0, EscapeOnce},
    {"h", 0, 0, Escape},
    {"lstrip", 0, 0, LeftStrip},
    {"newline_to_br", 0, 0, NewlineToBr},
    {"prepend", 1, 1, Prepend},
    {"raw", 0, 0, Raw},
    {"remove", 1, 1, Remove},
    {"remove_first", 1, 1, ReplaceFirst},
    {"remove_last", 1, 1, ReplaceLast},
    {"replace", 1, 2, Replace},
    {"replace_first", 1, 2, ReplaceFirst},
    {"replace_last", 2, 2, ReplaceLast},
    {"rstrip", 0, 0, RightStrip},
    {"safe", 0, 0, Raw},
    {"split", 1, 1, Split},
    {"strip", 0, 0, Strip},
    {"strip_html", 0, 0, StripHtmlText},
    {"strip_newlines", 0, 0, StripNewlines},
    {"truncate", 0, 2, Truncate},
    {"truncatewords", 0, 2, TruncateWords},
    {"upcase", 0, 0, UpcaseText},
    {"url_decode", 0, 0, UrlDecodeText},
    {"url_encode", 0, 0, UrlEncodeText},
};

}  // namespace

std::span<const Filter> StringFilters() {
    return kFilters;
}

}  // namespace liquid
