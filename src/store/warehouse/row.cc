#include "store/warehouse/row.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace warehouse {
namespace {

size_t VarintSize(uint64_t v) {
    return v < 0x80 ? 1 : static_cast<size_t>(64 - __builtin_clzll(v) + 6) / 7;
}
size_t TextSize(std::string_view text) { return VarintSize(text.size()) + text.size(); }

size_t TextsSize(std::span<const std::string_view> texts) {
    size_t size = VarintSize(texts.size());
    for (const std::string_view text : texts) size += TextSize(text);
    return size;
}

// Writes into memory whose size was counted before: no check per field.
class Pen {
  public:
    explicit Pen(char* at) : at_(at) {}
    template <typename T>
    void Fixed(T v) {
        std::memcpy(at_, &v, sizeof(T));
        at_ += sizeof(T);
    }
    void Varint(uint64_t v) {
        while (v >= 0x80) {
            *at_++ = static_cast<char>(v | 0x80);
            v >>= 7;
        }
        *at_++ = static_cast<char>(v);
    }
    void Text(std::string_view v) {
        Varint(v.size());
        if (!v.empty()) std::memcpy(at_, v.data(), v.size());
        at_ += v.size();
    }
    void Texts(std::span<const std::string_view> v) {
        Varint(v.size());
        for (const std::string_view text : v) Text(text);
    }
    char* at() const { return at_; }

  private:
    char* at_;
};

constexpr size_t kFixedBytes = 4 + 8 + 8 + 2 + 8 + 2 + 8 + 8 + 4;

// Spans cut to the length that all three have.
struct Properties {
    explicit Properties(const RowView& row) {
        const size_t n =
            std::min({row.prop_key.size(), row.prop_text.size(), row.prop_num.size()});
        key = row.prop_key.first(n);
        text = row.prop_text.first(n);
        num = row.prop_num.first(n);
    }
    std::span<const std::string_view> key;
    std::span<const std::string_view> text;
    std::span<const double> num;
};

size_t RowSize(const RowView& row, const Properties& props) {
    return kFixedBytes + TextSize(row.name) + TextsSize(row.ids) + TextsSize(props.key) +
           TextsSize(props.text) + VarintSize(props.num.size()) + props.num.size_bytes() +
           TextSize(row.source) + TextSize(row.medium) + TextSize(row.campaign) +
           TextSize(row.kind) + TextSize(row.payload);
}

char* WriteRow(char* at, const RowView& row, const Properties& props) {
    Pen pen(at);
    pen.Fixed(row.workspace);
    pen.Fixed(row.person);
    pen.Fixed(row.time_ms);
    pen.Fixed(DateOf(row.time_ms));
    pen.Text(row.name);
    pen.Texts(row.ids);
    pen.Fixed(row.visit);
    pen.Texts(props.key);
    pen.Texts(props.text);
    pen.Varint(props.num.size());
    for (const double v : props.num) pen.Fixed(v);
    pen.Text(row.source);
    pen.Text(row.medium);
    pen.Text(row.campaign);
    pen.Fixed(row.partition);
    pen.Fixed(row.offset);
    pen.Text(row.kind);
    pen.Fixed(row.log_time_ms);
    pen.Text(row.payload);
    pen.Fixed(row.ordinal);
    return pen.at();
}

// The month of a Date, so that header and table partition always agree. Rows come mostly from the
// same few days.
uint32_t MonthOfDate(uint16_t date) {
    thread_local uint16_t last_date = 0;
    thread_local uint32_t last_month = 197001;
    if (date != last_date) {
        last_month = static_cast<uint32_t>(base::MonthOf(date * base::kDayMs));
        last_date = date;
    }
    return last_month;
}

void ReadTexts(base::ByteReader& in, std::vector<std::string>& out) {
    const uint64_t n = in.Count();
    out.clear();
    out.reserve(n);
    for (uint64_t i = 0; i < n; ++i) out.emplace_back(in.Text());
}

}  // namespace

uint16_t DateOf(base::TimeMs time) {
    return static_cast<uint16_t>(std::clamp<int64_t>(base::DayOf(time), 0, 65535));
}

void AppendRow(std::string& out, const RowView& row) {
    const Properties props(row);
    const size_t before = out.size();
    const size_t size = RowSize(row, props);
    out.resize(before + size);
    CHECK(WriteRow(out.data() + before, row, props) == out.data() + before + size);
}

void AppendEntry(std::string& out, const RowView& row) {
    const Properties props(row);
    const size_t before = out.size();
    const size_t size = RowSize(row, props);
    out.resize(before + sizeof(EntryHeader) + size);
    const EntryHeader header{.row_bytes = static_cast<uint32_t>(size),
                             .workspace = row.workspace,
                             .person = row.person,
                             .offset = row.offset,
                             .month = MonthOfDate(DateOf(row.time_ms)),
                             .ordinal = row.ordinal,
                             .partition = row.partition};
    char* at = out.data() + before;
    std::memcpy(at, &header, sizeof(header));
    CHECK(WriteRow(at + sizeof(header), row, props) == at + sizeof(header) + size);
}

bool NextEntry(std::string_view& entries, EntryHeader& header, std::string_view& row) {
    if (entries.size() < sizeof(EntryHeader)) return false;
    std::memcpy(&header, entries.data(), sizeof(EntryHeader));
    if (header.row_bytes < kFixedBytes ||
        header.row_bytes > entries.size() - sizeof(EntryHeader)) {
        return false;
    }
    row = entries.substr(sizeof(EntryHeader), header.row_bytes);
    entries.remove_prefix(sizeof(EntryHeader) + header.row_bytes);
    return true;
}

bool ReadRow(std::string_view& bytes, Row& row) {
    base::ByteReader in(bytes);
    row.workspace = in.U32();
    row.person = in.U64();
    row.time_ms = in.I64();
    in.U16();  // day: follows from time
    row.name = in.Text();
    ReadTexts(in, row.ids);
    row.visit = in.U64();
    ReadTexts(in, row.prop_key);
    ReadTexts(in, row.prop_text);
    const uint64_t numbers = in.Count();
    if (numbers > in.left() / sizeof(double)) return false;
    row.prop_num.clear();
    row.prop_num.reserve(numbers);
    for (uint64_t i = 0; i < numbers; ++i) row.prop_num.push_back(in.F64());
    row.source = in.Text();
    row.medium = in.Text();
    row.campaign = in.Text();
    row.partition = in.U16();
    row.offset = in.U64();
    row.kind = in.Text();
    row.log_time_ms = in.I64();
    row.payload = in.Text();
    row.ordinal = in.U32();
    if (!in.ok()) return false;
    bytes.remove_prefix(bytes.size() - in.left());
    return true;
}

}  // namespace warehouse
