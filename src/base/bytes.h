// Little-endian binary writing and reading for state records and frames. Varints are LEB128.
// The reader never reads past its end: after the first short read `ok()` is false and every
// further value is zero or empty, so a caller checks once at the end.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace base {

class ByteWriter {
  public:
    explicit ByteWriter(std::string& out) : out_(out) {}
    void U8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
    void U16(uint16_t v) { Raw(&v, 2); }
    void U32(uint32_t v) { Raw(&v, 4); }
    void U64(uint64_t v) { Raw(&v, 8); }
    void I64(int64_t v) { Raw(&v, 8); }
    void F64(double v) { Raw(&v, 8); }
    void Varint(uint64_t v) {
        while (v >= 0x80) {
            out_.push_back(static_cast<char>(v | 0x80));
            v >>= 7;
        }
        out_.push_back(static_cast<char>(v));
    }
    // Zigzag: small magnitudes of either sign stay short.
    void Signed(int64_t v) {
        Varint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
    }
    void Text(std::string_view v) {
        Varint(v.size());
        out_.append(v);
    }
    void Raw(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }

  private:
    std::string& out_;
};

class ByteReader {
  public:
    explicit ByteReader(std::string_view in) : at_(in.data()), end_(in.data() + in.size()) {}
    uint8_t U8() { return Fixed<uint8_t>(); }
    uint16_t U16() { return Fixed<uint16_t>(); }
    uint32_t U32() { return Fixed<uint32_t>(); }
    uint64_t U64() { return Fixed<uint64_t>(); }
    int64_t I64() { return Fixed<int64_t>(); }
    double F64() { return Fixed<double>(); }
    uint64_t Varint() {
        uint64_t v = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const uint8_t b = U8();
            v |= static_cast<uint64_t>(b & 0x7f) << shift;
            if ((b & 0x80) == 0) return v;
        }
        ok_ = false;
        return 0;
    }
    int64_t Signed() {
        const uint64_t v = Varint();
        return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
    }
    std::string_view Text() { return Raw(Varint()); }
    std::string_view Raw(uint64_t size) {
        if (size > static_cast<uint64_t>(end_ - at_)) {
            ok_ = false;
            at_ = end_;
            return {};
        }
        std::string_view v(at_, size);
        at_ += size;
        return v;
    }
    // A count that is about to be looped over: each element needs at least one byte, so a larger
    // count is a lie and fails the reader at once.
    uint64_t Count() {
        const uint64_t n = Varint();
        if (n > static_cast<uint64_t>(end_ - at_)) {
            ok_ = false;
            at_ = end_;
            return 0;
        }
        return n;
    }
    bool ok() const { return ok_; }
    bool done() const { return at_ == end_; }
    size_t left() const { return static_cast<size_t>(end_ - at_); }

  private:
    template <typename T>
    T Fixed() {
        T v{};
        if (static_cast<size_t>(end_ - at_) < sizeof(T)) {
            ok_ = false;
            at_ = end_;
            return v;
        }
        std::memcpy(&v, at_, sizeof(T));
        at_ += sizeof(T);
        return v;
    }
    const char* at_;
    const char* end_;
    bool ok_ = true;
};

}  // namespace base
