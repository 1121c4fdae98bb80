// Work on UTF-8 text for the filters. Everything is linear in the size of its input, whatever the
// bytes are; bytes that are not UTF-8 count as one character each and are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace liquid {

inline bool IsSpace(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view LeftStripped(std::string_view text);
std::string_view RightStripped(std::string_view text);
std::string_view Stripped(std::string_view text);

// Bytes of the character that begins at `at`.
size_t CharacterBytes(std::string_view text, size_t at);
size_t CharacterCount(std::string_view text);
// `count` characters from character `start` on.
std::string_view Characters(std::string_view text, size_t start, size_t count);

// Case of Latin, Greek and Cyrillic letters.
std::string Upcase(std::string_view text);
std::string Downcase(std::string_view text);
std::string Capitalize(std::string_view text);

// First place of `needle` at or after `from`; npos. Two-way search: linear for any input.
size_t FindText(std::string_view text, std::string_view needle, size_t from = 0);
// Last place; linear too.
size_t FindLastText(std::string_view text, std::string_view needle);

// & < > " ' as &amp; &lt; &gt; &quot; &#39;
void AppendHtmlEscaped(std::string& out, std::string_view text);
// As above, leaving entities such as &lt; and &#20; alone.
void AppendHtmlEscapedOnce(std::string& out, std::string_view text);
// Without tags, comments, and script and style with what they hold.
std::string StripHtml(std::string_view html);
// application/x-www-form-urlencoded: a space is '+'.
std::string UrlEncode(std::string_view text);
std::string UrlDecode(std::string_view text);

// Words between white space.
std::vector<std::string_view> Words(std::string_view text);
bool IsUtf8(std::string_view text);

}  // namespace liquid
