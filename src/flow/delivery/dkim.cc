#include "flow/delivery/dkim.h"

#include <emmintrin.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/hash.h"

namespace delivery {
namespace {

constexpr int kRsaBitsMin = 1024;
constexpr size_t kFoldAt = 72;

// Signed where present, in this order; RFC 6376 section 5.4.1 and RFC 8058 section 4.
constexpr std::array<std::string_view, 14> kSigned = {
    "from",         "to",           "reply-to",
    "subject",      "date",         "message-id",
    "mime-version", "content-type", "content-transfer-encoding",
    "list-unsubscribe", "list-unsubscribe-post", "feedback-id",
    "x-idempotency-key", "content-language"};

struct Header {
    std::string name;         // Lower case.
    std::string_view value;   // As it stands, folds and all, without the final CRLF.
};

bool IsSpace(char c) { return c == ' ' || c == '\t'; }

std::string Lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

base::Result<std::vector<Header>> SplitHeaders(std::string_view letter, std::string_view& body) {
    std::vector<Header> out;
    size_t at = 0;
    while (at < letter.size()) {
        if (letter.substr(at, 2) == "\r\n") {
            body = letter.substr(at + 2);
            return out;
        }
        size_t end = letter.find("\r\n", at);
        while (end != std::string_view::npos && end + 2 < letter.size() &&
               IsSpace(letter[end + 2])) {
            end = letter.find("\r\n", end + 2);
        }
        const std::string_view line = letter.substr(at, end == letter.npos ? end : end - at);
        const size_t colon = line.find(':');
        if (end == std::string_view::npos || colon == std::string_view::npos) break;
        out.push_back({Lower(line.substr(0, colon)), line.substr(colon + 1)});
        at = end + 2;
    }
    return base::Fail(base::ErrorCode::kCorrupt, "dkim: the letter has no end of headers");
}

// RFC 6376 section 3.4.2, without the final CRLF.
void AppendRelaxedHeader(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).push_back(':');
    const size_t start = out.size();
    bool space = false;
    for (const char c : value) {
        if (IsSpace(c)) {
            space = true;
            continue;
        }
        if (c == '\r' || c == '\n') continue;
        if (space && out.size() > start) out.push_back(' ');
        space = false;
        out.push_back(c);
    }
}

// The next place at or after `at` where relaxed form may differ: a tab, two spaces, or a space
// before a CR. Sixteen bytes at a time: letters are tens of kilobytes of lines that are right.
size_t NextOdd(std::string_view body, size_t at) {
    const __m128i space = _mm_set1_epi8(' ');
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i cr = _mm_set1_epi8('\r');
    for (; at + 17 <= body.size(); at += 16) {
        const auto* p = reinterpret_cast<const __m128i*>(body.data() + at);
        const auto* q = reinterpret_cast<const __m128i*>(body.data() + at + 1);
        const __m128i here = _mm_loadu_si128(p);
        const __m128i next = _mm_loadu_si128(q);
        const __m128i doubled =
            _mm_and_si128(_mm_cmpeq_epi8(here, space),
                          _mm_or_si128(_mm_cmpeq_epi8(next, space), _mm_cmpeq_epi8(next, cr)));
        const int odd = _mm_movemask_epi8(_mm_or_si128(doubled, _mm_cmpeq_epi8(here, tab)));
        const __m128i mixed =
            _mm_and_si128(_mm_cmpeq_epi8(here, space), _mm_cmpeq_epi8(next, tab));
        const int all = odd | _mm_movemask_epi8(mixed);
        if (all != 0) return at + static_cast<size_t>(std::countr_zero(static_cast<unsigned>(all)));
    }
    for (; at < body.size(); ++at) {
        if (body[at] == '\t') return at;
        const char next = at + 1 < body.size() ? body[at + 1] : '\r';
        if (body[at] == ' ' && (IsSpace(next) || next == '\r')) return at;
    }
    return body.size();
}

// RFC 6376 section 3.4.4.
std::string RelaxedBody(std::string_view body) {
    std::string out;
    out.reserve(body.size() + 2);
    size_t at = 0;
    while (at < body.size()) {
        const size_t odd = NextOdd(body, at);
        out.append(body.substr(at, odd - at));
        at = odd;
        if (at == body.size()) break;
        while (at < body.size() && IsSpace(body[at])) ++at;
        const bool line_end = at == body.size() || body.substr(at, 2) == "\r\n";
        if (!line_end) out.push_back(' ');
    }
    while (out.ends_with("\r\n\r\n")) out.resize(out.size() - 2);
    if (out == "\r\n") out.clear();
    if (!out.empty() && !out.ends_with("\r\n")) out.append("\r\n");
    return out;
}

bool IsDnsName(std::string_view text) {
    return !text.empty() && text.size() <= 253 && text.front() != '.' && text.back() != '.' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
           });
}

void AppendFolded(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const std::string_view piece = text.substr(0, kFoldAt);
        out.append("\r\n ").append(piece);
        text.remove_prefix(piece.size());
    }
}

}  // namespace

struct DkimSigner::Key {
    std::string domain;
    std::string selector;
    EVP_PKEY* pkey = nullptr;
    bool ed25519 = false;

    Key() = default;
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;
    ~Key() { EVP_PKEY_free(pkey); }

    base::Result<std::string> Signature(std::string_view headers) const {
        // RFC 8463: Ed25519 signs the SHA-256 of the headers, RSA hashes by itself.
        const std::string text = ed25519 ? base::Sha256(headers) : std::string();
        const std::string_view signed_text = ed25519 ? std::string_view(text) : headers;
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        std::string out(static_cast<size_t>(EVP_PKEY_get_size(pkey)), '\0');
        size_t size = out.size();
        const bool fine =
            context != nullptr &&
            EVP_DigestSignInit(context, nullptr, ed25519 ? nullptr : EVP_sha256(), nullptr,
                               pkey) == 1 &&
            EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                           reinterpret_cast<const unsigned char*>(signed_text.data()),
                           signed_text.size()) == 1;
        EVP_MD_CTX_free(context);
        if (!fine) return base::Fail(base::ErrorCode::kInternal, "dkim: signing failed");
        out.resize(size);
        return out;
    }
};

DkimSigner::DkimSigner(std::unique_ptr<const Key> key) : key_(std::move(key)) {}
DkimSigner::~DkimSigner() = default;
DkimSigner::DkimSigner(DkimSigner&&) noexcept = default;
DkimSigner& DkimSigner::operator=(DkimSigner&&) noexcept = default;

base::Result<DkimSigner> DkimSigner::Create(std::string_view domain, std::string_view selector,
                                            std::string_view pem) {
    if (!IsDnsName(domain)) return base::Invalid("not a domain", "domain");
    if (!IsDnsName(selector)) return base::Invalid("not a selector", "selector");
    auto key = std::make_unique<Key>();
    key->domain = Lower(domain);
    key->selector = selector;
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    // Without a callback OpenSSL would ask the terminal for a pass phrase.
    const auto no_phrase = [](char*, int, int, void*) { return 0; };
    key->pkey = PEM_read_bio_PrivateKey(bio, nullptr, no_phrase, nullptr);
    BIO_free(bio);
    if (key->pkey == nullptr) return base::Invalid("not a private key in PEM", "key");
    const int kind = EVP_PKEY_get_base_id(key->pkey);
    key->ed25519 = kind == EVP_PKEY_ED25519;
    if (!key->ed25519 && kind != EVP_PKEY_RSA) {
        return base::Invalid("the key must be RSA or Ed25519", "key");
    }
    if (!key->ed25519 && EVP_PKEY_get_bits(key->pkey) < kRsaBitsMin) {
        return base::Invalid("the RSA key is too short", "key");
    }
    return DkimSigner(std::move(key));
}

base::Result<std::string> DkimSigner::Sign(std::string_view letter, base::TimeMs now) const {
    std::string_view body;
    TRY_ASSIGN(const std::vector<Header> headers, SplitHeaders(letter, body));
    std::string canonical, names;
    bool has_from = false;
    for (const std::string_view name : kSigned) {
        // From the bottom up, as verifiers do (RFC 6376 section 5.4.2).
        for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
            if (header->name != name) continue;
            AppendRelaxedHeader(canonical, header->name, header->value);
            canonical.append("\r\n");
            names.append(names.empty() ? "" : ":").append(name);
            has_from |= name == "from";
        }
    }
    if (!has_from) return base::Fail(base::ErrorCode::kCorrupt, "dkim: the letter has no From");
    names.append(":from");  // One that does not exist: nobody can add one.

    std::string value = " v=1; a=";
    value.append(key_->ed25519 ? "ed25519-sha256" : "rsa-sha256");
    value.append("; c=relaxed/relaxed; d=").append(key_->domain);
    value.append(";\r\n s=").append(key_->selector);
    value.append("; t=").append(std::to_string(now / base::kSecondMs)).append(";\r\n h=");
    size_t column = 3;
    for (size_t at = 0; at < names.size();) {
        const size_t end = std::min(names.find(':', at + 1), names.size());
        if (column + end - at > kFoldAt) {
            value.append("\r\n ");
            column = 1;
        }
        value.append(names, at, end - at);
        column += end - at;
        at = end;
    }
    value.append(";\r\n bh=").append(base::Base64Encode(base::Sha256(RelaxedBody(body))));
    value.append(";\r\n b=");
    AppendRelaxedHeader(canonical, "dkim-signature", value);
    TRY_ASSIGN(const std::string signature, key_->Signature(canonical));
    std::string out = "DKIM-Signature:" + value;
    AppendFolded(out, base::Base64Encode(signature));
    return out.append("\r\n");
}

std::string DkimSigner::DnsName() const { return key_->selector + "._domainkey." + key_->domain; }

std::string DkimSigner::DnsText() const {
    std::string bytes;
    if (key_->ed25519) {
        size_t size = 32;
        bytes.resize(size);
        EVP_PKEY_get_raw_public_key(key_->pkey, reinterpret_cast<unsigned char*>(bytes.data()),
                                    &size);
        return "v=DKIM1; k=ed25519; p=" + base::Base64Encode(bytes);
    }
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key_->pkey, &der);
    if (size > 0) bytes.assign(reinterpret_cast<char*>(der), static_cast<size_t>(size));
    OPENSSL_free(der);
    return "v=DKIM1; k=rsa; p=" + base::Base64Encode(bytes);
}

std::string_view DkimSigner::domain() const { return key_->domain; }

}  // namespace delivery
