#include "base/result.h"

namespace base {
namespace {

struct CodeRow {
    ErrorCode code;
    std::string_view name;
    int http_status;
    bool retry_helps;
    std::string_view text;
};

constexpr CodeRow kRows[] = {
    {ErrorCode::kInvalidArgument, "invalid_argument", 400, false, "The request is not valid."},
    {ErrorCode::kNotFound, "not_found", 404, false, "There is no such thing here."},
    {ErrorCode::kConflict, "conflict", 409, false, "It was changed or exists already."},
    {ErrorCode::kUnauthorized, "unauthorized", 401, false, "The key is missing or unknown."},
    {ErrorCode::kForbidden, "forbidden", 403, false, "This key does not allow it."},
    {ErrorCode::kTooLarge, "too_large", 413, false, "The request is larger than allowed."},
    {ErrorCode::kOverloaded, "overloaded", 503, true, "Too much at once. Try again shortly."},
    {ErrorCode::kDiskFull, "disk_full", 503, true, "The server's disk is full. Try again later."},
    {ErrorCode::kUnavailable, "unavailable", 503, true, "A part of the server does not answer."},
    {ErrorCode::kTimeout, "timeout", 504, true, "It took too long."},
    {ErrorCode::kOutcomeUnknown, "outcome_unknown", 500, false, "It may or may not have happened."},
    {ErrorCode::kCorrupt, "corrupt", 500, false, "Stored data could not be read."},
    {ErrorCode::kIo, "io", 500, false, "The server could not read or write its files."},
    {ErrorCode::kInternal, "internal", 500, false, "Something went wrong in the server."},
};

const CodeRow& Row(ErrorCode code) {
    for (const auto& row : kRows) {
        if (row.code == code) return row;
    }
    return kRows[std::size(kRows) - 1];
}

}  // namespace

std::string_view CodeName(ErrorCode code) { return Row(code).name; }
int HttpStatus(ErrorCode code) { return Row(code).http_status; }
bool RetryHelps(ErrorCode code) { return Row(code).retry_helps; }

std::string ClientText(const Error& error) {
    return error.public_text.empty() ? std::string(Row(error.code).text) : error.public_text;
}

}  // namespace base
