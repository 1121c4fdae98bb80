#include "server/replay_retail.h"

#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <random>
#include <thread>

#include "base/clock.h"
#include "base/json.h"
#include "server/remote.h"
#include "server/retail_file.h"

namespace server {
namespace {

using base::ErrorCode;

constexpr size_t kProductsBytesMax = 24 * 1024;  // Of one event; limits::kEventBytesMax less the
                                                 // rest of it. Further products are left out.
constexpr size_t kBatchEvents = 500;             // Of one time; more: further batches.
constexpr int kReadyPolls = 1200;                // For the definitions, a tenth of a second apart.
constexpr uint64_t kShuffleSeed = 20101201;
constexpr int kPageLimit = 500;

constexpr std::string_view kSilent = "No order for 60 days";
struct Definition {
    std::string_view name, condition;
};
constexpr Definition kSegments[] = {
    {"Ordered within 30 days", "last \"Order Completed\" within 30d"},
    {"Five or more orders", "did \"Order Completed\" 5+ times"},
    {"Spent 1,000 or more", "sum(revenue) of \"Order Completed\" >= 1000"},
};

// --- events ----------------------------------------------------------------------------------

struct Batch {
    base::TimeMs time_ms = 0;
    std::string body;  // Of POST /v1/import.
};

void AppendIdentify(base::JsonWriter& w, const Invoice& invoice) {
    w.Begin('{').Key("type").String("identify");
    w.Key("messageId").String("retail-" + invoice.number + "-person");
    w.Key("userId").String("c" + invoice.customer).Key("timestamp").Time(invoice.time_ms);
    w.Key("traits").Begin('{').Key("email").String("c" + invoice.customer + "@example.test");
    w.Key("country").String(invoice.country).End('}').End('}');
}

// True when products were left out.
bool AppendOrder(base::JsonWriter& w, const std::string& out, const Invoice& invoice) {
    w.Begin('{').Key("type").String("track");
    w.Key("event").String(invoice.refund ? "Order Refunded" : "Order Completed");
    w.Key("messageId").String("retail-" + invoice.number);
    w.Key("userId").String("c" + invoice.customer).Key("timestamp").Time(invoice.time_ms);
    w.Key("properties").Begin('{').Key("order_id").String(invoice.number);
    w.Key("revenue").Double(invoice.revenue).Key("currency").String("GBP");
    w.Key("products").Begin('[');
    const size_t begun = out.size();
    size_t told = 0;
    for (const RetailLine& line : invoice.lines) {
        // Escaped, a byte takes up to six.
        if (out.size() - begun + 6 * line.name.size() + 256 > kProductsBytesMax) break;
        w.Begin('{').Key("product_id").String(line.product_id).Key("name").String(line.name);
        w.Key("quantity").Int(line.quantity).Key("price").Double(line.price).End('}');
        ++told;
    }
    w.End(']');
    const bool cut = told < invoice.lines.size();
    if (cut) w.Key("products_count").Int(static_cast<int64_t>(invoice.lines.size()));
    w.End('}').End('}');
    return cut;
}

struct Batches {
    std::vector<Batch> all;
    uint64_t persons = 0;
    uint64_t cut = 0;  // Orders that name fewer products than they had.
};

// One batch holds the invoices of one instant, each behind her identify when she is new or has
// moved to another country.
Batches MakeBatches(const std::vector<Invoice>& invoices) {
    Batches made;
    std::map<std::string_view, std::string_view> countries;
    for (size_t at = 0; at < invoices.size();) {
        Batch& batch = made.all.emplace_back();
        batch.time_ms = invoices[at].time_ms;
        base::JsonWriter w(batch.body);
        w.Begin('{').Key("batch").Begin('[');
        size_t events = 0;
        while (at < invoices.size() && invoices[at].time_ms == batch.time_ms &&
               events < kBatchEvents) {
            const Invoice& invoice = invoices[at++];
            const auto [known, fresh] = countries.try_emplace(invoice.customer, invoice.country);
            if (fresh || known->second != invoice.country) {
                known->second = invoice.country;
                AppendIdentify(w, invoice);
                ++events;
            }
            if (AppendOrder(w, batch.body, invoice)) ++made.cut;
            ++events;
        }
        w.End(']').End('}');
    }
    made.persons = countries.size();
    return made;
}

// --- the run ---------------------------------------------------------------------------------

class Progress {
  public:
    explicit Progress(size_t all) : all_(all), shown_(isatty(STDERR_FILENO) != 0) {}
    void Show(size_t done, base::TimeMs time_ms) {
        const int64_t now = base::SteadyNanos();
        if (!shown_ || (now - last_ < 100'000'000 && done != all_)) return;
        last_ = now;
        constexpr size_t kWidth = 40;
        const size_t filled = all_ == 0 ? kWidth : kWidth * done / all_;
        const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
        std::fprintf(stderr, "\r[%s] %zu / %zu batches  %s %s", bar.c_str(), done, all_,
                     base::FormatIso(time_ms).substr(0, 10).c_str(), done == all_ ? "\n" : "");
    }

  private:
    size_t all_;
    bool shown_;
    int64_t last_ = 0;
};

class Replay {
  public:
    Replay(const ReplayOptions& options, Remote& remote, RetailFile file)
        : options_(options), remote_(remote), file_(std::move(file)) {}

    base::Status Run() {
        TRY(CheckClock());
        TRY(Publish());
        Batches batches = MakeBatches(file_.invoices);
        persons_ = batches.persons;
        cut_ = batches.cut;
        const int64_t begun = base::SteadyNanos();
        if (options_.shuffled) {
            Shuffle(batches.all);
            TRY(MoveClock(file_.last_ms));
        }
        Progress progress(batches.all.size());
        for (const Batch& batch : batches.all) {
            if (!options_.shuffled) TRY(MoveClock(batch.time_ms));
            for (int time = 0; time < (options_.twice ? 2 : 1); ++time) TRY(SendBatch(batch));
            progress.Show(++batches_sent_, batch.time_ms);
        }
        TRY(MoveClock(file_.last_ms));
        seconds_ = static_cast<double>(base::SteadyNanos() - begun) / 1e9;
        TRY(Count());
        return {};
    }

    std::string Json() const {
        std::string out;
        base::JsonWriter w(out);
        const auto count = [&](std::string_view key, uint64_t value) {
            w.Key(key).Int(static_cast<int64_t>(value));
        };
        w.Begin('{');
        count("lines", file_.lines);
        count("lines_skipped", file_.lines_skipped);
        count("invoices", file_.invoices.size());
        count("refunds", Refunds());
        count("persons", persons_);
        count("products_cut", cut_);
        count("batches", batches_sent_);
        count("requests", remote_.requests());
        w.Key("first").Time(file_.first_ms).Key("last").Time(file_.last_ms);
        w.Key("segments").Begin('[');
        for (size_t i = 0; i < std::size(kSegments); ++i) {
            w.Begin('{').Key("id").String(segments_[i]).Key("name").String(kSegments[i].name);
            w.Key("count").Int(counts_[i]).End('}');
        }
        w.End(']').Key("journey_id").String(journey_).Key("letters").Begin('{');
        for (const auto& [state, number] : letters_) count(state, number);
        w.End('}').Key("seconds").Double(seconds_).End('}');
        return out;
    }

    std::string Text() const {
        std::string out = std::to_string(file_.invoices.size()) + " invoices (" +
                          std::to_string(Refunds()) + " refunds) of " + std::to_string(persons_) +
                          " customers; " + std::to_string(file_.lines_skipped) + " of " +
                          std::to_string(file_.lines) + " lines have no customer\n";
        if (cut_ > 0) {
            out += std::to_string(cut_) + " invoices name only their first products " +
                   "(products_count has the number)\n";
        }
        for (size_t i = 0; i < std::size(kSegments); ++i) {
            out += std::string(kSegments[i].name) + ": " + std::to_string(counts_[i]) + "\n";
        }
        out += "Win-back letters:";
        if (letters_.empty()) out += " none";
        for (const auto& [state, number] : letters_) {
            out += " " + std::to_string(number) + " " + state;
        }
        char seconds[64];
        std::snprintf(seconds, sizeof seconds, "\n%.1f s, %.0f invoices/s\n", seconds_,
                      static_cast<double>(file_.invoices.size()) / std::max(seconds_, 1e-9));
        return out + seconds;
    }

  private:
    base::Status CheckClock() {
        TRY_ASSIGN(const auto root, remote_.Send(http::Method::kGet, "/api/v1/workspace"));
        TRY_ASSIGN(const std::string clock, TextAt(root, "clock"));
        TRY_ASSIGN(const std::string text, TextAt(root, "now"));
        const auto now = base::ParseIso(text);
        if (clock != "simulated" || !now) {
            return base::Invalid(
                "The server runs on the system's clock; start it with --clock "
                "simulated:" +
                    base::FormatIso(file_.first_ms) + ".",
                "--server");
        }
        if (*now > (options_.shuffled ? file_.last_ms : file_.first_ms)) {
            return base::Invalid("The server's clock stands at " + text +
                                     ", behind the file's lines, and never goes back; start it "
                                     "with --clock simulated:" +
                                     base::FormatIso(file_.first_ms) + ".",
                                 "--server");
        }
        return {};
    }

    base::Result<std::string> CreateSegment(std::string_view name, std::string_view condition) {
        std::string body;
        base::JsonWriter(body)
            .Begin('{')
            .Key("name")
            .String(name)
            .Key("condition")
            .String(condition)
            .End('}');
        TRY_ASSIGN(const auto root, remote_.Send(http::Method::kPost, "/api/v1/segments", body));
        return TextAt(root, "id");
    }

    // Definitions go live in the order in which they were saved: when the last is ready, all are.
    base::Status Publish() {
        TRY(CreateSegment(kSilent, "last \"Order Completed\" more than 60d ago"));
        std::string body;
        base::JsonWriter w(body);
        w.Begin('{').Key("name").String("Win back");
        w.Key("entry").Begin('{').Key("segment").String(kSilent).Key("on").String("enter");
        w.Key("again").String("every_time").End('}');
        w.Key("goal").String("did \"Order Completed\" since entry");
        w.Key("steps").Begin('[').Begin('{').Key("id").String("l1").Key("type").String("letter");
        w.Key("subject").String("We have not seen you for a while");
        w.Key("text").String(
            "Hello, your last order was 60 days ago. What has arrived since: "
            "https://shop.example.test/new\n");
        w.End('}').End(']').End('}');
        TRY_ASSIGN(const auto root, remote_.Send(http::Method::kPost, "/api/v1/journeys", body));
        TRY_ASSIGN(journey_, TextAt(root, "id"));
        TRY(remote_.Send(http::Method::kPost, "/api/v1/journeys/" + journey_ + "/publish"));
        for (const Definition& segment : kSegments) {
            TRY_ASSIGN(std::string id, CreateSegment(segment.name, segment.condition));
            segments_.push_back(std::move(id));
        }
        for (int left = kReadyPolls; left > 0; --left) {
            TRY_ASSIGN(const auto last,
                       remote_.Send(http::Method::kGet, "/api/v1/segments/" + segments_.back()));
            TRY_ASSIGN(const std::string state, TextAt(last, "state"));
            if (state == "ready") return {};
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return base::Fail(ErrorCode::kUnavailable, "segments stay in state counting",
                          "The server does not get its segments ready.");
    }

    base::Status MoveClock(base::TimeMs time_ms) {
        if (time_ms == clock_ms_ && time_ms != file_.last_ms) return {};
        TRY(remote_.MoveClock(time_ms));
        clock_ms_ = time_ms;
        return {};
    }

    base::Status SendBatch(const Batch& batch) {
        TRY_ASSIGN(const auto root, remote_.Send(http::Method::kPost, "/v1/import", batch.body));
        simdjson::dom::array refused;
        if (root["refused"].get(refused) == simdjson::SUCCESS && refused.size() > 0) {
            return base::Fail(ErrorCode::kInvalidArgument, simdjson::minify(root),
                              "The server refused an event: " + simdjson::minify(root));
        }
        return {};
    }

    static void Shuffle(std::vector<Batch>& batches) {
        std::mt19937_64 random(kShuffleSeed);
        for (size_t left = batches.size(); left > 1; --left) {
            std::swap(batches[left - 1], batches[random() % left]);
        }
    }

    base::Status Count() {
        for (const std::string& id : segments_) {
            TRY_ASSIGN(const auto root, remote_.Send(http::Method::kGet, "/api/v1/segments/" + id));
            int64_t count = 0;
            if (root["count"].get(count) != simdjson::SUCCESS) {
                return base::Fail(ErrorCode::kUnavailable, simdjson::minify(root));
            }
            counts_.push_back(count);
        }
        std::string cursor;
        do {
            std::string target =
                "/api/v1/messages?journey_id=" + journey_ + "&limit=" + std::to_string(kPageLimit);
            if (!cursor.empty()) target += "&cursor=" + http::PercentEncode(cursor);
            TRY_ASSIGN(const auto root, remote_.Send(http::Method::kGet, target));
            simdjson::dom::array messages;
            if (root["messages"].get(messages) != simdjson::SUCCESS) {
                return base::Fail(ErrorCode::kUnavailable, simdjson::minify(root));
            }
            for (const auto message : messages) {
                TRY_ASSIGN(const std::string state, TextAt(message, "state"));
                ++letters_[state];
            }
            cursor = TextAt(root, "next_cursor").value_or("");
        } while (!cursor.empty());
        return {};
    }

    uint64_t Refunds() const {
        return static_cast<uint64_t>(
            std::count_if(file_.invoices.begin(), file_.invoices.end(),
                          [](const Invoice& invoice) { return invoice.refund; }));
    }

    const ReplayOptions& options_;
    Remote& remote_;
    RetailFile file_;
    base::TimeMs clock_ms_ = INT64_MIN;
    std::string journey_;
    std::vector<std::string> segments_;
    std::vector<int64_t> counts_;
    std::map<std::string, uint64_t> letters_;
    uint64_t persons_ = 0;
    uint64_t cut_ = 0;
    size_t batches_sent_ = 0;
    double seconds_ = 0;
};

}  // namespace

base::Status ReplayRetail(const ReplayOptions& options) {
    TRY_ASSIGN(RetailFile file, ReadRetailFile(options.file));
    if (file.invoices.empty()) return base::Invalid("The file has no line with a CustomerID.");
    TRY_ASSIGN(Remote remote, Remote::To(options.server, options.secret_key));
    Replay replay(options, remote, std::move(file));
    TRY(replay.Run());
    const std::string summary = options.json ? replay.Json() + "\n" : replay.Text();
    if (std::fputs(summary.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
        return base::Fail(ErrorCode::kIo, "standard output is closed");
    }
    return {};
}

}  // namespace server
