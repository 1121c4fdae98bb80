#include "flow/delivery/tokens.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/limits.h"

namespace delivery {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kTagBytes = 16;
constexpr size_t kPathTagBytes = 10;
constexpr size_t kSecretBytesMin = 32;
// Apart from every other use of the key.
constexpr std::string_view kTokenUse = "ripen token\n";
constexpr std::string_view kPathUse = "ripen return path\n";
constexpr std::string_view kPathPrefix = "b-";
constexpr char kBase32[] = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648 section 6.

std::string TagOf(const TokenKey& key, std::string_view use, std::string_view body, size_t size) {
    std::string text(use);
    text.append(body);
    return base::HmacSha256(key.secret, text).substr(0, size);
}

void WriteMessage(base::ByteWriter& w, model::WorkspaceId workspace, const model::FactKey& key) {
    w.Varint(workspace);
    w.Varint(key.stream);
    w.Varint(key.offset);
    w.Varint(key.ordinal);
}

bool ReadMessage(base::ByteReader& r, model::WorkspaceId& workspace, model::FactKey& key) {
    const uint64_t w = r.Varint(), stream = r.Varint();
    key.offset = r.Varint();
    const uint64_t ordinal = r.Varint();
    workspace = static_cast<model::WorkspaceId>(w);
    key.stream = static_cast<model::StreamId>(stream);
    key.ordinal = static_cast<uint16_t>(ordinal);
    return r.ok() && workspace == w && key.stream == stream && key.ordinal == ordinal;
}

std::string Base32Encode(std::string_view bytes) {
    std::string out;
    uint32_t v = 0;
    int bits = 0;
    for (const char c : bytes) {
        v = (v << 8 | static_cast<uint8_t>(c)) & 0xffff;
        for (bits += 8; bits >= 5; bits -= 5) out.push_back(kBase32[v >> (bits - 5) & 31]);
    }
    if (bits > 0) out.push_back(kBase32[v << (5 - bits) & 31]);
    return out;
}

bool Base32Decode(std::string_view text, std::string& out) {
    uint32_t v = 0;
    int bits = 0;
    for (const char c : text) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        const size_t digit = std::string_view(kBase32, 32).find(lower);
        if (digit == std::string_view::npos) return false;
        v = (v << 5 | static_cast<uint32_t>(digit)) & 0xffff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<char>(v >> bits & 255));
        }
    }
    return true;
}

}  // namespace

base::Result<TokenScheme> TokenScheme::Create(std::vector<TokenKey> keys) {
    if (keys.empty()) return base::Invalid("no token key");
    for (size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].secret.size() < kSecretBytesMin) return base::Invalid("short token key");
        for (size_t j = 0; j < i; ++j) {
            if (keys[j].number == keys[i].number) return base::Invalid("token key number twice");
        }
    }
    return TokenScheme(std::move(keys));
}

const TokenKey* TokenScheme::Find(uint8_t number) const {
    const auto found = std::find_if(keys_.begin(), keys_.end(),
                                    [&](const TokenKey& key) { return key.number == number; });
    return found == keys_.end() ? nullptr : &*found;
}

std::string TokenScheme::Write(const Token& token) const {
    CHECK(token.url.size() <= limits::kTrackedUrlBytesMax);
    const TokenKey& key = keys_.front();
    std::string body;
    body.reserve(64 + token.url.size());
    base::ByteWriter w(body);
    w.U8(kVersion);
    w.U8(key.number);
    w.U8(static_cast<uint8_t>(token.purpose));
    WriteMessage(w, token.workspace, token.message);
    w.Varint(token.link);
    w.U64(token.person.hi);
    w.U64(token.person.lo);
    w.Text(token.url);
    body.append(TagOf(key, kTokenUse, body, kTagBytes));
    return base::Base64UrlEncode(body);
}

std::optional<Token> TokenScheme::Read(std::string_view text, Purpose expected) const {
    if (text.size() > limits::kTokenBytesMax) return std::nullopt;
    std::string bytes;
    // One spelling only: padding, the other alphabet and loose last bits are not ours.
    if (!base::Base64Decode(text, bytes) || base::Base64UrlEncode(bytes) != text) {
        return std::nullopt;
    }
    if (bytes.size() < kTagBytes + 3) return std::nullopt;
    const std::string_view body = std::string_view(bytes).substr(0, bytes.size() - kTagBytes);
    const std::string_view tag = std::string_view(bytes).substr(bytes.size() - kTagBytes);
    const TokenKey* key = Find(static_cast<uint8_t>(body[1]));
    if (key == nullptr) return std::nullopt;
    if (!base::ConstantTimeEqual(TagOf(*key, kTokenUse, body, kTagBytes), tag)) {
        return std::nullopt;
    }
    base::ByteReader r(body);
    Token token;
    const uint8_t version = r.U8();
    r.U8();
    token.purpose = static_cast<Purpose>(r.U8());
    if (version != kVersion || token.purpose != expected) return std::nullopt;
    if (!ReadMessage(r, token.workspace, token.message)) return std::nullopt;
    token.link = static_cast<uint16_t>(r.Varint());
    token.person.hi = r.U64();
    token.person.lo = r.U64();
    token.url = r.Text();
    if (!r.ok() || !r.done()) return std::nullopt;
    return token;
}

std::string TokenScheme::WriteReturnPath(model::WorkspaceId workspace,
                                         const model::FactKey& message) const {
    const TokenKey& key = keys_.front();
    std::string body;
    base::ByteWriter w(body);
    w.U8(kVersion);
    w.U8(key.number);
    WriteMessage(w, workspace, message);
    body.append(TagOf(key, kPathUse, body, kPathTagBytes));
    std::string out(kPathPrefix);
    out.append(Base32Encode(body));
    CHECK(out.size() <= limits::kLocalPartBytesMax);
    return out;
}

std::optional<TokenScheme::Returned> TokenScheme::ReadReturnPath(
    std::string_view local_part) const {
    if (local_part.size() > limits::kLocalPartBytesMax || local_part.size() < 3) {
        return std::nullopt;
    }
    if ((local_part[0] != 'b' && local_part[0] != 'B') || local_part[1] != '-') {
        return std::nullopt;
    }
    std::string bytes;
    if (!Base32Decode(local_part.substr(2), bytes) || bytes.size() < kPathTagBytes + 2) {
        return std::nullopt;
    }
    const std::string_view body = std::string_view(bytes).substr(0, bytes.size() - kPathTagBytes);
    const std::string_view tag = std::string_view(bytes).substr(body.size());
    const TokenKey* key = Find(static_cast<uint8_t>(body[1]));
    if (key == nullptr || body[0] != kVersion) return std::nullopt;
    if (!base::ConstantTimeEqual(TagOf(*key, kPathUse, body, kPathTagBytes), tag)) {
        return std::nullopt;
    }
    base::ByteReader r(body.substr(2));
    Returned out;
    if (!ReadMessage(r, out.workspace, out.message) || !r.done()) return std::nullopt;
    return out;
}

}  // namespace delivery
