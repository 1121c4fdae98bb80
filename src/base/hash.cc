#include "base/hash.h"

#include <nmmintrin.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <bit>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace base {
namespace {

uint64_t Load64(const uint8_t* p) {
    uint64_t v = 0;
    std::memcpy(&v, p, 8);
    return v;
}

struct SipState {
    uint64_t v0, v1, v2, v3;
    void Round() {
        v0 += v1;
        v1 = std::rotl(v1, 13);
        v1 ^= v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16);
        v3 ^= v2;
        v0 += v3;
        v3 = std::rotl(v3, 21);
        v3 ^= v0;
        v2 += v1;
        v1 = std::rotl(v1, 17);
        v1 ^= v2;
        v2 = std::rotl(v2, 32);
    }
};

}  // namespace

Hash128 SipHash128(const SipKey& key, std::string_view text) {
    const uint64_t k0 = Load64(key.data());
    const uint64_t k1 = Load64(key.data() + 8);
    SipState s{0x736f6d6570736575ULL ^ k0, 0x646f72616e646f6dULL ^ k1 ^ 0xee,
               0x6c7967656e657261ULL ^ k0, 0x7465646279746573ULL ^ k1};
    const auto* p = reinterpret_cast<const uint8_t*>(text.data());
    const size_t size = text.size();
    const uint8_t* end = p + (size & ~size_t{7});
    for (; p != end; p += 8) {
        const uint64_t m = Load64(p);
        s.v3 ^= m;
        s.Round();
        s.Round();
        s.v0 ^= m;
    }
    uint64_t last = static_cast<uint64_t>(size) << 56;
    for (size_t i = 0; i < (size & 7); ++i) last |= static_cast<uint64_t>(p[i]) << (8 * i);
    s.v3 ^= last;
    s.Round();
    s.Round();
    s.v0 ^= last;
    s.v2 ^= 0xee;
    for (int i = 0; i < 4; ++i) s.Round();
    Hash128 out;
    out.lo = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    s.v1 ^= 0xdd;
    for (int i = 0; i < 4; ++i) s.Round();
    out.hi = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    return out;
}

uint32_t Crc32c(uint32_t crc, const void* bytes, size_t size) {
    const auto* p = static_cast<const uint8_t*>(bytes);
    uint64_t c = ~crc;
    while (size >= 8) {
        uint64_t v = 0;
        std::memcpy(&v, p, 8);
        c = _mm_crc32_u64(c, v);
        p += 8;
        size -= 8;
    }
    auto c32 = static_cast<uint32_t>(c);
    while (size-- > 0) c32 = _mm_crc32_u8(c32, *p++);
    return ~c32;
}

std::string Sha256(std::string_view text) {
    // OpenSSL looks the algorithm up and makes a context anew with every EVP_Digest: more than the
    // hashing of a key itself.
    static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    static thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    std::string out(32, '\0');
    unsigned int size = 32;
    CHECK(EVP_DigestInit_ex2(context.get(), sha256, nullptr) == 1 &&
          EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1 &&
          EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size) ==
              1);
    return out;
}

std::string HmacSha256(std::string_view key, std::string_view text) {
    std::string out(32, '\0');
    unsigned int size = 32;
    CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(text.data()), text.size(),
               reinterpret_cast<unsigned char*>(out.data()), &size) != nullptr);
    return out;
}

void RandomBytes(void* out, size_t size) {
    CHECK(RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(size)) == 1);
}

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string ToHex(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto b = static_cast<uint8_t>(c);
        out.push_back(kDigits[b >> 4]);
        out.push_back(kDigits[b & 15]);
    }
    return out;
}

bool FromHex(std::string_view hex, std::string& out) {
    const auto digit = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    out.clear();
    if (hex.size() % 2 != 0) return false;
    for (size_t i = 0; i < hex.size(); i += 2) {
        const int hi = digit(hex[i]), lo = digit(hex[i + 1]);
        if (hi < 0 || lo < 0) return false;
        out.push_back(static_cast<char>(hi * 16 + lo));
    }
    return true;
}

namespace {

std::string Base64With(std::string_view bytes, const char* alphabet, bool pad) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    size_t i = 0;
    const auto at = [&](size_t k) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[k])); };
    for (; i + 3 <= bytes.size(); i += 3) {
        const uint32_t v = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        for (int shift = 18; shift >= 0; shift -= 6) out.push_back(alphabet[v >> shift & 63]);
    }
    const size_t rest = bytes.size() - i;
    if (rest > 0) {
        const uint32_t v = at(i) << 16 | (rest == 2 ? at(i + 1) << 8 : 0);
        out.push_back(alphabet[v >> 18 & 63]);
        out.push_back(alphabet[v >> 12 & 63]);
        if (rest == 2) out.push_back(alphabet[v >> 6 & 63]);
        if (pad) out.append(3 - rest, '=');
    }
    return out;
}

}  // namespace

std::string Base64Encode(std::string_view bytes) {
    return Base64With(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                      true);
}

std::string Base64UrlEncode(std::string_view bytes) {
    return Base64With(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                      false);
}

bool Base64Decode(std::string_view text, std::string& out) {
    out.clear();
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    uint32_t v = 0;
    int bits = 0;
    for (const char c : text) {
        int d = -1;
        if (c >= 'A' && c <= 'Z') d = c - 'A';
        else if (c >= 'a' && c <= 'z') d = c - 'a' + 26;
        else if (c >= '0' && c <= '9') d = c - '0' + 52;
        else if (c == '+' || c == '-') d = 62;
        else if (c == '/' || c == '_') d = 63;
        if (d < 0) return false;
        v = v << 6 | static_cast<uint32_t>(d);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<char>(v >> bits & 255));
        }
    }
    return text.size() % 4 != 1;
}

}  // namespace base
