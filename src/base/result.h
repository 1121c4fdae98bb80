// Expected failure as a value: Result<T> is a T or an Error.
//
// An Error has a code, which decides the HTTP status, whether a retry helps and the text a client
// may see, and an internal text for the log. The internal text may name files, addresses and
// causes; it never reaches a client except through `public_text`, which is written for users.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace base {

enum class ErrorCode : uint8_t {
    kInvalidArgument,   // The request is wrong and will be wrong again.
    kNotFound,          // No such thing, or not in this workspace.
    kConflict,          // Somebody changed it meanwhile, or the name is taken.
    kUnauthorized,      // No key, or an unknown one.
    kForbidden,         // The key is known and does not allow this.
    kTooLarge,          // A named limit was passed (base/limits.h).
    kOverloaded,        // Try again later; nothing was taken.
    kDiskFull,          // As kOverloaded; the administrator has to make room.
    kUnavailable,       // A part (warehouse, mail server) does not answer now.
    kTimeout,           // A time limit was passed; nothing is known to have happened.
    kOutcomeUnknown,    // It may have happened: never repeat blindly.
    kCorrupt,           // Stored bytes do not read as what they should be.
    kIo,                // The operating system refused; the internal text has errno.
    kInternal,          // Our bug, found by ourselves.
};

struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string internal;     // For the log.
    std::string public_text;  // For the client; empty: the text of the code is used.
    std::string at;           // Where in the input, e.g. "steps[2].for" or "12"; may be empty.
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

// An error whose text is safe to show (it speaks only of the client's own input).
inline tl::unexpected<Error> Invalid(std::string text, std::string at = {}) {
    return tl::make_unexpected(
        Error{ErrorCode::kInvalidArgument, text, std::move(text), std::move(at)});
}
inline tl::unexpected<Error> Fail(ErrorCode code, std::string internal) {
    return tl::make_unexpected(Error{code, std::move(internal), {}, {}});
}
// As Fail, with the text that the client may see.
inline tl::unexpected<Error> Fail(ErrorCode code, std::string internal, std::string public_text) {
    return tl::make_unexpected(Error{code, std::move(internal), std::move(public_text), {}});
}

// The name used in JSON answers and logs: "invalid_argument".
std::string_view CodeName(ErrorCode code);
// 400, 404, 409, 401, 403, 413, 503, 503, 503, 504, 500 ...
int HttpStatus(ErrorCode code);
// True when the same request may succeed later unchanged.
bool RetryHelps(ErrorCode code);
// What a client sees: public_text, or the standing text of the code.
std::string ClientText(const Error& error);

}  // namespace base

// TRY(expr): returns the error of a Status or Result from the enclosing function.
#define RIPEN_CONCAT2(a, b) a##b
#define RIPEN_CONCAT(a, b) RIPEN_CONCAT2(a, b)
#define TRY(expr)                                                              \
    do {                                                                       \
        auto ripen_try = (expr);                                               \
        if (!ripen_try) return tl::make_unexpected(std::move(ripen_try.error())); \
    } while (false)
// TRY_ASSIGN(auto x, expr): x = value, or returns the error.
#define TRY_ASSIGN(lhs, expr)                                                             \
    auto RIPEN_CONCAT(ripen_r, __LINE__) = (expr);                                        \
    if (!RIPEN_CONCAT(ripen_r, __LINE__))                                                 \
        return tl::make_unexpected(std::move(RIPEN_CONCAT(ripen_r, __LINE__).error()));   \
    lhs = std::move(*RIPEN_CONCAT(ripen_r, __LINE__))
