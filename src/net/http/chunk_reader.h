// The chunked transfer coding (RFC 9112 7.1), read piece by piece and strictly: CR LF only,
// at most 8 hexadecimal digits of size, extensions and trailers counted and dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace http {

class ChunkReader {
  public:
    enum class State : uint8_t { kMore, kDone, kBad, kTooLarge };

    void Reset() { *this = ChunkReader(); }

    // Consumes bytes up to the end of the body, appending what they hold to `out` as long as
    // out.size() stays <= bytes_max. Returns how many bytes were consumed.
    size_t Take(std::string_view bytes, std::string& out, size_t bytes_max);
    State state() const { return state_; }

  private:
    enum class At : uint8_t {
        kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailerStart, kTrailer, kTrailerLf,
        kEndLf
    };
    void TakeByte(char c);

    State state_ = State::kMore;
    At at_ = At::kSize;
    uint8_t digits_ = 0;
    bool named_ = false;         // The trailer line has its colon.
    uint64_t left_ = 0;          // Of the chunk's data.
    uint32_t overhead_ = 0;      // Extension and trailer bytes, limited over the whole body.
};

}  // namespace http
