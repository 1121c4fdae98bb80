#include "catalog/passwords.h"

#include <argon2.h>

#include "base/hash.h"
#include "base/limits.h"

namespace catalog {
namespace {

constexpr uint32_t kPasses = 1, kKibibytes = 47104, kLanes = 1, kHashBytes = 32;
constexpr size_t kSaltBytes = 16;
// Of a text that nobody knows, in the same cost: what a wrong address is compared with.
constexpr const char* kNobody =
    "$argon2id$v=19$m=47104,t=1,p=1$c29tZXNhbHRzb21lc2FsdA"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

}  // namespace

base::Result<std::string> HashPassword(std::string_view password) {
    char salt[kSaltBytes];
    base::RandomBytes(salt, sizeof salt);
    char hash[128];
    if (argon2id_hash_encoded(kPasses, kKibibytes, kLanes, password.data(), password.size(), salt,
                              sizeof salt, kHashBytes, hash, sizeof hash) != ARGON2_OK) {
        return base::Fail(base::ErrorCode::kInternal, "argon2id failed");
    }
    return std::string(hash);
}

bool IsPassword(std::string_view encoded, std::string_view password) {
    const std::string hash(encoded);
    if (hash.starts_with("$argon2id$")) {
        const int result = argon2id_verify(hash.c_str(), password.data(), password.size());
        if (result == ARGON2_OK) return true;
        if (result == ARGON2_VERIFY_MISMATCH) return false;
    }
    (void)argon2id_verify(kNobody, password.data(), password.size());
    return false;
}

std::string NewPassword() {
    char raw[18];
    base::RandomBytes(raw, sizeof raw);
    return base::Base64UrlEncode({raw, sizeof raw});
}

base::Status CheckPassword(std::string_view password, std::string_view field) {
    size_t characters = 0;
    for (const char c : password) characters += (static_cast<uint8_t>(c) & 0xc0) != 0x80;
    if (characters < limits::kPasswordCharactersMin) {
        return base::Invalid("A password has at least " +
                                 std::to_string(limits::kPasswordCharactersMin) + " characters.",
                             std::string(field));
    }
    if (password.size() > limits::kPasswordBytesMax) {
        return base::Invalid("A password has at most " +
                                 std::to_string(limits::kPasswordBytesMax) + " bytes.",
                             std::string(field));
    }
    return {};
}

}  // namespace catalog
