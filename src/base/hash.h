// The three hashes of the house, each for one purpose.
//   SipHash-2-4 with 128-bit output (Aumasson, Bernstein 2012): keyed ids and fingerprints, where
//   the input is hostile and the key secret.
//   CRC-32C (RFC 3720 B.4 polynomial): frames on disk.
//   Mix64 (splitmix64 finaliser): spreading numbers that are already keyed or harmless.
// HMAC-SHA-256 and random bytes come from OpenSSL.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

struct Hash128 {
    uint64_t hi = 0;
    uint64_t lo = 0;
    auto operator<=>(const Hash128&) const = default;
};

using SipKey = std::array<uint8_t, 16>;

Hash128 SipHash128(const SipKey& key, std::string_view text);

// Extends `crc` (start with a seed or 0) over the bytes.
uint32_t Crc32c(uint32_t crc, const void* bytes, size_t size);

inline uint64_t Mix64(uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

std::string Sha256(std::string_view text);                            // 32 bytes.
std::string HmacSha256(std::string_view key, std::string_view text);  // 32 bytes.
void RandomBytes(void* out, size_t size);  // CSPRNG; ends the process when it fails.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

std::string ToHex(std::string_view bytes);                   // Lower case.
bool FromHex(std::string_view hex, std::string& out);        // False on odd length or a bad digit.
std::string Base64Encode(std::string_view bytes);            // RFC 4648 section 4, padded.
bool Base64Decode(std::string_view text, std::string& out);  // Either alphabet, padding optional.
std::string Base64UrlEncode(std::string_view bytes);         // RFC 4648 section 5, unpadded.

}  // namespace base
