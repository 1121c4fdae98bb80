// Case folding for comparisons: Unicode simple case folding (CaseFolding.txt, statuses C and S),
// one code point at a time, by ICU. So "STRASSE" is not "straße", "ẞ" is "ß", the Turkish "İ" and
// "ı" are letters of their own and not "i", and "Ａ" (full width) is "ａ" but not "a". Texts are
// compared as they came, without normalisation. Bytes that are not UTF-8 stand for themselves.
#pragma once

#include <string>
#include <string_view>

namespace condition {

void AppendFolded(std::string& out, std::string_view text);
std::string Fold(std::string_view text);

// Writes `text`, folded, to `out`, which has room for text.size() bytes. False when `text` is not
// all ASCII; then `out` is of no use.
bool FoldAscii(std::string_view text, char* out);

// Whether `text`, folded, is (begins with) `folded`, which is folded already. No allocation.
bool FoldedEqual(std::string_view text, std::string_view folded);
bool FoldedStarts(std::string_view text, std::string_view folded);

}  // namespace condition
