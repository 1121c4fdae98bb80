// Build, then read again: what was accepted reads back as meant, header for header and byte for
// byte, and needs nothing on the wire; what is not accepted is an error, not a letter.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "flow/delivery/letter_check.h"
#include "flow/delivery/mime.h"
#include "net/smtp/client.h"

namespace {

std::string Crlf(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        if (text[i] == '\r' || text[i] == '\n') {
            out += "\r\n";
        } else {
            out += text[i];
        }
    }
    return out;
}

// Fields are parted by 0xff, which is never UTF-8.
std::string Take(std::string_view& in) {
    const size_t end = in.find('\xff');
    std::string out(in.substr(0, end));
    in.remove_prefix(end == std::string_view::npos ? in.size() : end + 1);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
    std::string_view in(reinterpret_cast<const char*>(bytes), size);
    delivery::LetterParts parts;
    parts.idempotency_key = "k";
    parts.from.name = Take(in);
    parts.to.name = Take(in);
    parts.subject = Take(in);
    parts.from.address = Take(in);
    parts.to.address = Take(in);
    const std::string header = Take(in);
    if (!header.empty()) parts.extra_headers = {{"X-Extra", header}};
    const std::string url = Take(in);
    if (!url.empty()) parts.list_unsubscribe_url = "https://x.example/" + url;
    parts.text = Take(in);
    parts.html = Take(in);
    if (parts.from.address.empty()) parts.from.address = "a@example.com";
    if (parts.to.address.empty()) parts.to.address = "b@example.com";
    if (parts.text.empty()) parts.text = "x";
    const auto built = delivery::BuildLetter(parts, "secret");
    if (!built) return 0;
    if (!delivery::CheckLetter(built->bytes, parts)) std::abort();
    const auto read = delivery::ParseLetter(built->bytes);
    if (!read || read->parts.empty() || read->parts[0].body != Crlf(parts.text)) std::abort();
    if (!parts.html.empty() && read->parts[1].body != Crlf(parts.html)) std::abort();
    std::string wire;
    if (smtp::Canonicalise(built->bytes, wire)) std::abort();
    if (smtp::Canonicalise(in, wire) && !delivery::CheckDots(wire, wire).has_value()) {
        std::string again;
        smtp::Canonicalise(wire, again);
        if (!delivery::CheckDots(wire, again)) std::abort();
    }
    return 0;
}
