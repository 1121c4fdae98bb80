#include "net/http/chunk_reader.h"

#include <algorithm>

#include "base/limits.h"
#include "net/http/syntax.h"

namespace http {

size_t ChunkReader::Take(std::string_view bytes, std::string& out, size_t bytes_max) {
    size_t at = 0;
    while (at < bytes.size() && state_ == State::kMore) {
        if (at_ != At::kData) {
            TakeByte(bytes[at++]);
            if (at_ == At::kData && left_ > bytes_max - std::min(bytes_max, out.size())) {
                state_ = State::kTooLarge;
            }
            continue;
        }
        const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - at));
        if (size > bytes_max - std::min(bytes_max, out.size())) {
            state_ = State::kTooLarge;
            break;
        }
        out.append(bytes.substr(at, size));
        at += size;
        left_ -= size;
        if (left_ == 0) at_ = At::kDataCr;
    }
    return at;
}

void ChunkReader::TakeByte(char c) {
    const auto expect = [&](char wanted, At next) {
        if (c == wanted) {
            at_ = next;
        } else {
            state_ = State::kBad;
        }
    };
    const auto count_overhead = [&] {
        if (++overhead_ > limits::kChunkOverheadBytesMax) state_ = State::kBad;
    };
    switch (at_) {
        case At::kSize: {
            const int digit = HexDigit(c);
            if (digit >= 0) {
                if (++digits_ > 8) state_ = State::kBad;
                left_ = left_ * 16 + static_cast<uint64_t>(digit);
            } else if (digits_ == 0) {
                state_ = State::kBad;
            } else if (c == ';') {
                at_ = At::kExtension;
            } else {
                expect('\r', At::kSizeLf);
            }
            return;
        }
        case At::kExtension:
            count_overhead();
            if (c == '\r') {
                at_ = At::kSizeLf;
            } else if (!IsFieldText(c)) {
                state_ = State::kBad;
            }
            return;
        case At::kSizeLf:
            expect('\n', left_ == 0 ? At::kTrailerStart : At::kData);
            digits_ = 0;
            return;
        case At::kData: return;
        case At::kDataCr: return expect('\r', At::kDataLf);
        case At::kDataLf: return expect('\n', At::kSize);
        case At::kTrailerStart:
            if (c == '\r') {
                at_ = At::kEndLf;
                return;
            }
            named_ = false;
            at_ = At::kTrailer;
            count_overhead();
            if (!IsTokenChar(c)) state_ = State::kBad;
            return;
        case At::kTrailer:
            count_overhead();
            if (c == '\r' && named_) {
                at_ = At::kTrailerLf;
            } else if (c == ':' && !named_) {
                named_ = true;
            } else if (named_ ? !IsFieldText(c) : !IsTokenChar(c)) {
                state_ = State::kBad;
            }
            return;
        case At::kTrailerLf: return expect('\n', At::kTrailerStart);
        case At::kEndLf:
            if (c == '\n') {
                state_ = State::kDone;
            } else {
                state_ = State::kBad;
            }
            return;
    }
}

}  // namespace http
