// `ripen replay-retail`: a real shop's lines through HTTP as orders and refunds with their own
// times, under the simulated clock (docs/replay-retail.md). The file has the columns of the UCI
// Online Retail data: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
// CustomerID, Country.
#pragma once

#include <string>

#include "base/result.h"

namespace server {

struct ReplayOptions {
    std::string file;         // CSV, or CSV compressed with xz.
    std::string server;       // A server with a simulated clock.
    std::string secret_key;
    bool twice = false;       // Each batch is sent twice in a row.
    bool shuffled = false;    // All batches in random order, the clock at the last line.
    bool json = false;        // The summary as JSON on standard output.
};

// Publishes the three segments and the win-back journey, sends everything, waits until all is
// folded, prints a summary.
// Errors: kNotFound (file), kInvalidArgument (columns), kUnavailable (server).
base::Status ReplayRetail(const ReplayOptions& options);

}  // namespace server
