#include "server/retail_file.h"

#include <lzma.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>

namespace server {
namespace {

using base::ErrorCode;

constexpr size_t kTextBytesMax = 2ULL * 1024 * 1024 * 1024;  // A shop's decade; larger: refused.
constexpr uint64_t kXzMemoryBytesMax = 256ULL * 1024 * 1024;
constexpr size_t kReadBytes = 256 * 1024;
constexpr std::string_view kXzMagic("\xfd"
                                    "7zXZ\0",
                                    6);

// --- bytes -----------------------------------------------------------------------------------

base::Result<std::string> ReadBytes(const std::string& path) {
    const auto close = [](std::FILE* file) { std::fclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rb"), close);
    if (file == nullptr) {
        return base::Fail(ErrorCode::kNotFound, path + ": " + std::strerror(errno),
                          "The file " + path + " cannot be read.");
    }
    std::string bytes;
    std::string piece(kReadBytes, '\0');
    while (const size_t got = std::fread(piece.data(), 1, piece.size(), file.get())) {
        bytes.append(piece, 0, got);
        if (bytes.size() > kTextBytesMax) {
            return base::Fail(ErrorCode::kTooLarge, path, path + " is larger than 2 GB.");
        }
    }
    if (std::ferror(file.get()) != 0) {
        return base::Fail(ErrorCode::kIo, path + ": read failed", path + " cannot be read.");
    }
    return bytes;
}

base::Result<std::string> Unpack(std::string_view packed) {
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, kXzMemoryBytesMax, LZMA_CONCATENATED) != LZMA_OK) {
        return base::Fail(ErrorCode::kInternal, "lzma_stream_decoder");
    }
    const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> end(&stream, lzma_end);
    std::string text, piece(kReadBytes, '\0');
    stream.next_in = reinterpret_cast<const uint8_t*>(packed.data());
    stream.avail_in = packed.size();
    lzma_ret got = LZMA_OK;
    while (got == LZMA_OK) {
        stream.next_out = reinterpret_cast<uint8_t*>(piece.data());
        stream.avail_out = piece.size();
        got = lzma_code(&stream, LZMA_FINISH);
        text.append(piece, 0, piece.size() - stream.avail_out);
        if (text.size() > kTextBytesMax) {
            return base::Fail(ErrorCode::kTooLarge, "xz", "The text is larger than 2 GB.");
        }
    }
    if (got != LZMA_STREAM_END) {
        return base::Fail(ErrorCode::kCorrupt, "lzma_code: " + std::to_string(got),
                          "The file is no whole xz file.");
    }
    return text;
}

// --- csv -------------------------------------------------------------------------------------

enum Column { kNumber, kProduct, kName, kQuantity, kDate, kPrice, kCustomer, kCountry };
constexpr std::array<std::string_view, 8> kColumns = {
    "InvoiceNo",   "StockCode", "Description", "Quantity",
    "InvoiceDate", "UnitPrice", "CustomerID",  "Country"};

class CsvReader {
  public:
    explicit CsvReader(std::string_view text) : text_(text) {
        if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    }
    // False at the end. An empty line is a row of one empty field.
    base::Result<bool> Next(std::vector<std::string>& row) {
        row.clear();
        if (at_ >= text_.size()) return false;
        row_line_ = line_;
        while (true) {
            TRY(Field(row.emplace_back()));
            if (at_ < text_.size() && text_[at_] == ',') {
                ++at_;
                continue;
            }
            if (at_ < text_.size() && text_[at_] == '\r') ++at_;
            if (at_ < text_.size() && text_[at_] == '\n') {
                ++at_;
                ++line_;
            }
            return true;
        }
    }
    std::string Where() const { return "line " + std::to_string(row_line_); }

  private:
    base::Status Field(std::string& out) {
        if (at_ >= text_.size() || text_[at_] != '"') {
            const size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
            out = text_.substr(at_, end - at_);
            at_ = end;
            return {};
        }
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '\n') ++line_;
            if (c != '"') {
                out.push_back(c);
                continue;
            }
            if (++at_ >= text_.size() || text_[at_] != '"') {
                if (at_ < text_.size() && std::strchr(",\r\n", text_[at_]) == nullptr) {
                    return base::Invalid("Something stands between a closing quote and the comma.",
                                         Where());
                }
                return {};
            }
            out.push_back('"');
        }
        return base::Invalid("A quote is not closed.", Where());
    }

    std::string_view text_;
    size_t at_ = 0;
    uint64_t line_ = 1;
    uint64_t row_line_ = 1;
};

template <typename T>
std::optional<T> Number(std::string_view text) {
    T value{};
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

base::Result<std::array<size_t, 8>> FindColumns(const std::vector<std::string>& header) {
    std::array<size_t, 8> places{};
    for (size_t column = 0; column < kColumns.size(); ++column) {
        size_t place = 0;
        while (place < header.size() && header[place] != kColumns[column]) ++place;
        if (place == header.size()) {
            return base::Invalid("The column " + std::string(kColumns[column]) + " is missing.",
                                 "line 1");
        }
        places[column] = place;
    }
    return places;
}

// --- invoices --------------------------------------------------------------------------------

class Gatherer {
  public:
    explicit Gatherer(std::array<size_t, 8> places) : places_(places) {}

    base::Status Add(const std::vector<std::string>& row, const std::string& where) {
        const auto value = [&](Column column) -> const std::string& {
            return row[places_[column]];
        };
        const auto time = base::ParseIso(value(kDate));
        if (!time) return base::Invalid("InvoiceDate is not a time.", where);
        if (file_.lines++ == 0) file_.first_ms = file_.last_ms = *time;
        file_.first_ms = std::min(file_.first_ms, *time);
        file_.last_ms = std::max(file_.last_ms, *time);
        std::string customer = value(kCustomer);
        if (customer.ends_with(".0")) customer.resize(customer.size() - 2);
        if (customer.empty()) {
            ++file_.lines_skipped;
            return {};
        }
        const auto quantity = Number<int64_t>(value(kQuantity));
        if (!quantity) return base::Invalid("Quantity is not a whole number.", where);
        const auto price = Number<double>(value(kPrice));
        if (!price || !std::isfinite(*price)) {
            return base::Invalid("UnitPrice is not a number.", where);
        }
        const std::string& number = value(kNumber);
        if (number.empty()) return base::Invalid("InvoiceNo is empty.", where);
        const auto [known, fresh] = places_of_.try_emplace(number, file_.invoices.size());
        if (fresh) {
            Invoice& invoice = file_.invoices.emplace_back();
            invoice.number = number;
            invoice.customer = std::move(customer);
            invoice.country = value(kCountry);
            invoice.time_ms = *time;
            invoice.refund = number.front() == 'C';
        } else if (file_.invoices[known->second].customer != customer) {
            return base::Invalid("Invoice " + number + " has two customers.", where);
        }
        Invoice& invoice = file_.invoices[known->second];
        invoice.revenue += static_cast<double>(*quantity) * *price;
        invoice.lines.push_back({value(kProduct), value(kName), *quantity, *price});
        return {};
    }

    RetailFile Take() {
        for (Invoice& invoice : file_.invoices) {
            invoice.revenue = std::round(invoice.revenue * 100) / 100;
        }
        return std::move(file_);
    }

  private:
    std::array<size_t, 8> places_;
    std::unordered_map<std::string, size_t> places_of_;
    RetailFile file_;
};

}  // namespace

base::Result<RetailFile> ParseRetail(std::string_view csv) {
    CsvReader reader(csv);
    std::vector<std::string> row;
    TRY_ASSIGN(const bool any, reader.Next(row));
    if (!any) return base::Invalid("The file is empty.", "line 1");
    TRY_ASSIGN(const auto places, FindColumns(row));
    const size_t width = row.size();
    Gatherer gatherer(places);
    while (true) {
        TRY_ASSIGN(const bool more, reader.Next(row));
        if (!more) return gatherer.Take();
        if (row.size() == 1 && row[0].empty()) continue;
        if (row.size() != width) {
            return base::Invalid("There are " + std::to_string(row.size()) + " fields, not " +
                                     std::to_string(width) + ".",
                                 reader.Where());
        }
        TRY(gatherer.Add(row, reader.Where()));
    }
}

base::Result<RetailFile> ReadRetailFile(const std::string& path) {
    TRY_ASSIGN(std::string bytes, ReadBytes(path));
    if (!std::string_view(bytes).starts_with(kXzMagic)) return ParseRetail(bytes);
    TRY_ASSIGN(const std::string text, Unpack(bytes));
    bytes = {};
    return ParseRetail(text);
}

}  // namespace server
