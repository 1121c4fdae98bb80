// Reading the lines of a shop: CSV (RFC 4180) with the columns of the UCI Online Retail data, plain
// or compressed with xz, put together to invoices.
//
// One InvoiceNo is one order, and one that begins with C a refund. Lines without CustomerID are
// counted and left out. Times are UTC. Nothing here knows of the server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace server {

struct RetailLine {
    std::string product_id;
    std::string name;
    int64_t quantity = 0;
    double price = 0;
};

struct Invoice {
    std::string number;
    std::string customer;        // "17850": the file's "17850.0" without its fraction.
    std::string country;
    base::TimeMs time_ms = 0;    // Of its first line.
    bool refund = false;
    double revenue = 0;          // Of all its lines, in whole hundredths.
    std::vector<RetailLine> lines;
};

struct RetailFile {
    std::vector<Invoice> invoices;   // In the order of their first lines.
    uint64_t lines = 0;              // All, without the header.
    uint64_t lines_skipped = 0;      // Without CustomerID.
    base::TimeMs first_ms = 0;       // The earliest and the latest line, also of those left out.
    base::TimeMs last_ms = 0;
};

// Errors: kNotFound (no such file), kIo, kTooLarge (over 2 GB of text), kCorrupt (xz),
//         kInvalidArgument with `at` "line 12": columns missing, a value that is not what its
//         column holds, an open quote.
base::Result<RetailFile> ReadRetailFile(const std::string& path);
// The same from text.
base::Result<RetailFile> ParseRetail(std::string_view csv);

}  // namespace server
