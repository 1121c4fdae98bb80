#include "net/http/encoding.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/limits.h"
#include "net/http/message.h"
#include "net/http/syntax.h"

namespace http {
namespace {

enum class Coding : uint8_t { kNone, kGzip, kDeflate, kBrotli, kZstd };

constexpr size_t kStepBytes = 64 * 1024;
constexpr int kGzipWindow = MAX_WBITS + 16;

bool LooksLikeGzip(std::string_view body) {
    return body.size() >= 2 && body[0] == '\x1f' && body[1] == '\x8b';
}

std::optional<Coding> CodingOf(std::string_view body, std::string_view name) {
    name = TrimBlanks(name);
    if (name.empty() || EqualNoCase(name, "identity")) {
        return LooksLikeGzip(body) ? Coding::kGzip : Coding::kNone;
    }
    if (EqualNoCase(name, "gzip") || EqualNoCase(name, "x-gzip")) return Coding::kGzip;
    if (EqualNoCase(name, "deflate")) return Coding::kDeflate;
    if (EqualNoCase(name, "br")) return Coding::kBrotli;
    if (EqualNoCase(name, "zstd")) return Coding::kZstd;
    return std::nullopt;
}

tl::unexpected<base::Error> TooLarge(std::string_view why) {
    return base::Fail(base::ErrorCode::kTooLarge, std::string(why), std::string(why));
}

tl::unexpected<base::Error> Corrupt() {
    return base::Invalid("the compressed body is damaged or not whole");
}

// The decoded text with its limits. A decoder asks for room, writes there and tells how much.
class Output {
  public:
    Output(size_t input_bytes, size_t bytes_max)
        : bytes_max_(bytes_max),
          ratio_bytes_max_(std::max(limits::kInflateFreeBytes,
                                    input_bytes * static_cast<size_t>(limits::kInflateRatioMax))) {
        text_.reserve(std::min({input_bytes * 4, bytes_max_, ratio_bytes_max_}) + kBodyPadding + 1);
    }
    // Room is never beyond one byte more than the limits, so passing them is seen at that byte.
    char* Room(size_t& size) {
        const size_t most = std::min(bytes_max_, ratio_bytes_max_) + 1;
        const size_t step = std::max(kStepBytes, used_);
        const size_t goal = std::min(most, used_ + step);
        if (text_.size() < goal) text_.resize(goal);
        size = text_.size() - used_;
        return text_.data() + used_;
    }
    base::Status Wrote(size_t size) {
        used_ += size;
        if (used_ > bytes_max_) return TooLarge("the body is too large when decoded");
        if (used_ > ratio_bytes_max_) return TooLarge("the body is compressed too strongly");
        return {};
    }
    std::string Finish() {
        text_.resize(used_);
        Pad(text_);
        return std::move(text_);
    }

  private:
    size_t bytes_max_;
    size_t ratio_bytes_max_;
    size_t used_ = 0;
    std::string text_;
};

// Kept by each thread: setting one up costs more than decoding a small body.
class Inflater {
  public:
    Inflater() { CHECK(inflateInit2(&stream_, kGzipWindow) == Z_OK); }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    base::Result<std::string> Run(std::string_view in, int window_bits, size_t bytes_max) {
        CHECK(inflateReset2(&stream_, window_bits) == Z_OK);
        Output out(in.size(), bytes_max);
        // zlib takes the input as non-const but does not write to it.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        stream_.avail_in = static_cast<uInt>(in.size());
        while (true) {
            size_t room = 0;
            stream_.next_out = reinterpret_cast<Bytef*>(out.Room(room));
            stream_.avail_out = static_cast<uInt>(room);
            const int result = inflate(&stream_, Z_NO_FLUSH);
            TRY(out.Wrote(room - stream_.avail_out));
            if (result == Z_STREAM_END) {
                if (stream_.avail_in == 0) return out.Finish();
                // Another member follows (RFC 1952 2.2); only gzip has them.
                if (window_bits != kGzipWindow) return Corrupt();
                CHECK(inflateReset2(&stream_, kGzipWindow) == Z_OK);
            } else if (result != Z_OK || (stream_.avail_in == 0 && stream_.avail_out > 0)) {
                return Corrupt();
            }
        }
    }

  private:
    z_stream stream_{};
};

base::Result<std::string> RunZlib(std::string_view in, Coding coding, size_t bytes_max) {
    thread_local Inflater inflater;
    if (coding == Coding::kGzip) return inflater.Run(in, kGzipWindow, bytes_max);
    // CMF and FLG of zlib (RFC 1950 2.2): method 8 and a multiple of 31; else it is raw deflate.
    const auto byte = [&](size_t at) {
        return at < in.size() ? static_cast<unsigned char>(in[at]) : 0U;
    };
    const bool wrapped = (byte(0) & 15U) == 8 && (byte(0) * 256 + byte(1)) % 31 == 0;
    return inflater.Run(in, wrapped ? MAX_WBITS : -MAX_WBITS, bytes_max);
}

base::Result<std::string> RunBrotli(std::string_view in, size_t bytes_max) {
    const std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> decoder(
        BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance);
    CHECK(decoder != nullptr);
    Output out(in.size(), bytes_max);
    size_t left = in.size();
    const auto* next = reinterpret_cast<const uint8_t*>(in.data());
    while (true) {
        size_t room = 0;
        auto* to = reinterpret_cast<uint8_t*>(out.Room(room));
        size_t room_left = room;
        const auto result = BrotliDecoderDecompressStream(decoder.get(), &left, &next, &room_left,
                                                          &to, nullptr);
        TRY(out.Wrote(room - room_left));
        if (result == BROTLI_DECODER_RESULT_SUCCESS) {
            if (left != 0) return Corrupt();
            return out.Finish();
        }
        if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return Corrupt();
    }
}

base::Result<std::string> RunZstd(std::string_view in, size_t bytes_max) {
    const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> decoder(ZSTD_createDCtx(),
                                                                       &ZSTD_freeDCtx);
    CHECK(decoder != nullptr);
    CHECK(!ZSTD_isError(ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax,
                                               static_cast<int>(limits::kZstdWindowLogMax))));
    Output out(in.size(), bytes_max);
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    while (true) {
        size_t room = 0;
        char* to = out.Room(room);
        ZSTD_outBuffer output{to, room, 0};
        const size_t before = input.pos;
        const size_t result = ZSTD_decompressStream(decoder.get(), &output, &input);
        if (ZSTD_isError(result)) return Corrupt();
        TRY(out.Wrote(output.pos));
        if (result == 0 && input.pos == in.size()) return out.Finish();
        if (input.pos == before && output.pos == 0) return Corrupt();
    }
}

}  // namespace

bool IsEncoded(std::string_view body, std::string_view content_encoding) {
    return CodingOf(body, content_encoding) != Coding::kNone;
}

base::Result<std::string> Inflate(std::string body, std::string_view content_encoding,
                                  size_t bytes_max) {
    const auto coding = CodingOf(body, content_encoding);
    if (!coding) return base::Invalid("the Content-Encoding is not known, or not one alone");
    if (body.size() > UINT32_MAX) return TooLarge("the body is too large");
    switch (*coding) {
        case Coding::kNone: break;
        case Coding::kGzip:
        case Coding::kDeflate: return RunZlib(body, *coding, bytes_max);
        case Coding::kBrotli: return RunBrotli(body, bytes_max);
        case Coding::kZstd: return RunZstd(body, bytes_max);
    }
    if (body.size() > bytes_max) return TooLarge("the body is too large");
    Pad(body);
    return body;
}

std::string Gzip(std::string_view text, int level) {
    z_stream stream{};
    CHECK(deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

}  // namespace http
