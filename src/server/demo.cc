#include "server/demo.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <queue>
#include <thread>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "catalog/catalog.h"
#include "event_log/embedded/embedded_log.h"
#include "server/config.h"
#include "server/demo_people.h"
#include "server/pipeline.h"
#include "server/remote.h"

namespace server {
namespace {

using base::TimeMs;

constexpr std::string_view kName = "Demo shop";
// The clock goes in steps of this; letters are looked at after each.
constexpr base::DurationMs kStepMs = base::kHourMs;
constexpr size_t kBatchActs = 400;
constexpr int kLettersAtOnce = 100;  // More in one step: the older ones are not read by anybody.
constexpr int kReadyPolls = 600;     // For the definitions, a tenth of a second apart.

struct Definition {
    std::string_view name, condition;
};
constexpr Definition kSegments[] = {
    {"Checkout begun twice, never ordered",
     "did \"Checkout Started\" 2+ times and not did \"Order Completed\""},
    {"From paid ads, the fruit press three times",
     "first_touch.medium is \"cpc\" and did \"Product Viewed\" where product_id is "
     "\"fruit-press\", 3+ times"},
    {"Ordered within 30 days", "last \"Order Completed\" within 30d"},
    {"No order for 60 days", "last \"Order Completed\" more than 60d ago"},
    {"Five or more orders", "did \"Order Completed\" 5+ times"},
    {"Spent 500 or more", "sum(revenue) of \"Order Completed\" >= 500"},
    {"Readers without an order", "did \"Article Viewed\" 3+ times and not did \"Order Completed\""},
    {"In Japan", "country is \"JP\""},
    {"On the site this week", "did \"Page\" within 7d"},
};

std::string ShopUrl(const DemoOptions& options) { return options.public_url + "/demo/"; }

std::string Letter(std::string_view id, std::string_view subject, std::string_view text,
                   std::string_view button, std::string_view link) {
    std::string out, html = "<p>Hello {{ person.first_name | default: \"there\" }},</p><p>";
    html.append(text).append("</p><p><a href=\"").append(link).append("\">");
    html.append(button).append("</a></p>");
    std::string plain = "Hello {{ person.first_name | default: \"there\" }},\n\n";
    plain.append(text).append("\n\n").append(link).append("\n");
    base::JsonWriter w(out);
    w.Begin('{').Key("id").String(id).Key("type").String("letter").Key("subject").String(subject);
    w.Key("text").String(plain).Key("html").String(html).End('}');
    return out;
}

std::vector<std::string> Journeys(const std::string& shop) {
    return {
        R"({"name":"Unfinished checkout","entry":{"event":"Checkout Started",)"
        R"("again":"every_time"},"goal":"did \"Order Completed\" since entry","steps":[)"
        R"({"id":"w1","type":"wait","for":"1h"},)" +
            Letter("l1", "Shall we finish, {{ person.first_name | default: 'friend' }}?",
                   "{{ event.properties.products[0].name | default: 'your basket' }} is kept for "
                   "you until tomorrow.",
                   "Back to the checkout", shop + "checkout.html") +
            "]}",
        R"({"name":"Welcome","entry":{"event":"Form Submitted",)"
        R"("where":"form is \"newsletter\""},)"
        R"("exit":"did \"Order Completed\" since entry","steps":[)" +
            Letter("l1", "When is an apple ripe?",
                   "thank you for subscribing. We begin with the question that everybody asks.",
                   "Read it", shop + "journal/when-is-an-apple-ripe.html") +
            R"(,{"id":"w1","type":"wait","for":"3d"},{"id":"b1","type":"branch",)"
            R"("if":"did \"Product Viewed\" where category is \"kitchen\"","then":[)" +
            Letter("l2", "Press or juicer", "this is how to choose, by kilograms of harvest.",
                   "Compare them", shop + "journal/press-or-juicer.html") +
            R"(],"else":[)" +
            Letter("l3", "Pruning without fear", "three cuts that every tree forgives.",
                   "See the three cuts", shop + "journal/pruning-in-winter.html") +
            "]}]}",
        R"({"name":"Win back","entry":{"segment":"No order for 60 days","on":"enter",)"
        R"("again":"every_time"},"goal":"did \"Order Completed\" since entry","steps":[)" +
            Letter("l1", "What is new since your last order",
                   "it has been two months. A few things have arrived since then.",
                   "See what is new", shop + "index.html") +
            "]}",
    };
}

base::Result<catalog::NewKeys> MakeWorkspace(const DemoOptions& options, TimeMs begin) {
    base::SimulatedClock clock(begin);
    event_log::EmbeddedLog::Options log_options;
    log_options.directory = options.directory + "/log";
    log_options.partitions = 0;
    log_options.clock = &clock;
    TRY_ASSIGN(const auto log, event_log::EmbeddedLog::Open(log_options));
    if (log->LastCommitTime() > begin) {
        return base::Fail(base::ErrorCode::kConflict,
                          "the log stands at " + base::FormatIso(log->LastCommitTime()),
                          "The demo's year can only be played into a new data directory: this one "
                          "has served already.");
    }
    TRY_ASSIGN(const auto catalog, catalog::Catalog::Open(*log, clock));
    return catalog->CreateWorkspace(std::string(kName), true);
}

class Player {
  public:
    Player(Remote& shop, Remote& pages, const DemoOptions& options, const DemoPeople& people)
        : shop_(shop), pages_(pages), options_(options), people_(people) {}

    base::Status Publish() {
        std::string last;
        for (const Definition& segment : kSegments) {
            std::string body;
            base::JsonWriter w(body);
            w.Begin('{').Key("name").String(segment.name);
            w.Key("condition").String(segment.condition).End('}');
            TRY_ASSIGN(const auto made, shop_.Send(http::Method::kPost, "/api/v1/segments", body));
            TRY_ASSIGN(last, TextAt(made, "id"));
        }
        for (const std::string& journey : Journeys(ShopUrl(options_))) {
            TRY_ASSIGN(const auto made,
                       shop_.Send(http::Method::kPost, "/api/v1/journeys", journey));
            TRY_ASSIGN(const std::string id, TextAt(made, "id"));
            TRY(shop_.Send(http::Method::kPost, "/api/v1/journeys/" + id + "/publish"));
        }
        // Definitions go live in the order in which they were saved.
        TRY_ASSIGN(
            const auto made,
            shop_.Send(http::Method::kPost, "/api/v1/segments",
                       R"({"name":"Everyone with an address","condition":"email is known"})"));
        TRY_ASSIGN(last, TextAt(made, "id"));
        for (int left = kReadyPolls; left > 0; --left) {
            TRY_ASSIGN(const auto segment,
                       shop_.Send(http::Method::kGet, "/api/v1/segments/" + last));
            TRY_ASSIGN(const std::string state, TextAt(segment, "state"));
            if (state == "ready") return {};
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return base::Fail(base::ErrorCode::kUnavailable, "segments stay in state counting");
    }

    base::Status Play(TimeMs begin, TimeMs end) {
        const bool shown = isatty(STDERR_FILENO) != 0;
        const auto& acts = people_.acts();
        size_t at = 0;
        int64_t told_day = -1;
        for (TimeMs now = begin; now < end;) {
            TimeMs next = at < acts.size() ? acts[at].at_ms : end;
            if (!later_.empty()) next = std::min(next, later_.top().at_ms);
            // Nights are short: the clock stops only where something happens, and once a day.
            now = std::min({std::max(now + kStepMs, next), now + base::kDayMs, end});
            TRY(shop_.MoveClock(now));
            // Read before anything is sent: the clock's answer has waited for these letters. Those
            // that the acts to come lead to may take a moment, so they are read in the next step.
            TRY(ReadLetters(now));
            std::vector<const std::string*> batch;
            std::vector<Later> due;
            for (; at < acts.size() && acts[at].at_ms <= now; ++at) {
                batch.push_back(&acts[at].json);
            }
            while (!later_.empty() && later_.top().at_ms <= now) {
                due.push_back(later_.top());
                later_.pop();
            }
            for (const Later& one : due) {
                if (one.fetch) {
                    TRY(Fetch(one));
                } else {
                    batch.push_back(&one.text);
                }
            }
            TRY(SendAll(batch));
            if (shown && base::DayOf(now) != told_day) {
                told_day = base::DayOf(now);
                std::fprintf(stderr, "\rdemo: %s, %llu acts, %llu letters ",
                             base::FormatIso(now).substr(0, 10).c_str(),
                             static_cast<unsigned long long>(year.acts),
                             static_cast<unsigned long long>(year.letters));
            }
        }
        if (shown) std::fprintf(stderr, "\n");
        return {};
    }

    DemoYear year;

  private:
    // Something that follows from a letter: a page to fetch or an act to send.
    struct Later {
        TimeMs at_ms = 0;
        uint64_t order = 0;
        bool fetch = false;
        std::string text, agent;
        bool operator<(const Later& o) const {
            return std::tie(at_ms, order) > std::tie(o.at_ms, o.order);
        }
    };

    base::Status SendAll(const std::vector<const std::string*>& acts) {
        for (size_t at = 0; at < acts.size(); at += kBatchActs) {
            std::string body = "{\"batch\":[";
            for (size_t i = at; i < std::min(at + kBatchActs, acts.size()); ++i) {
                if (i > at) body += ',';
                body += *acts[i];
            }
            body += "]}";
            TRY(shop_.Send(http::Method::kPost, "/v1/batch", body));
        }
        year.acts += acts.size();
        return {};
    }

    base::Status Fetch(const Later& one) {
        TRY_ASSIGN(const int status, pages_.Fetch(one.text, {{"User-Agent", one.agent}}));
        if (status != 200 && status != 302) {
            return base::Fail(base::ErrorCode::kUnavailable,
                              one.text + " answered " + std::to_string(status));
        }
        return {};
    }

    // The path behind `prefix` in a letter, up to what cannot be in one; empty: there is none.
    std::string PathIn(std::string_view html, std::string_view prefix) const {
        const std::string start = options_.public_url + std::string(prefix);
        const size_t at = html.find(start);
        if (at == std::string_view::npos) return {};
        const size_t from = at + options_.public_url.size();
        return std::string(html.substr(from, html.find_first_of("\"' <>\n", from) - from));
    }

    base::Status ReadLetters(TimeMs now) {
        TRY_ASSIGN(const auto page,
                   shop_.Send(http::Method::kGet,
                              "/api/v1/mailbox?limit=" + std::to_string(kLettersAtOnce)));
        simdjson::dom::array letters;
        if (page["letters"].get(letters) != simdjson::SUCCESS) {
            return base::Fail(base::ErrorCode::kUnavailable, "no letters in the mailbox's answer");
        }
        std::vector<std::pair<std::string, std::string>> fresh;  // id, address
        for (const auto letter : letters) {
            TRY_ASSIGN(const std::string id, TextAt(letter, "id"));
            if (id == newest_) break;
            TRY_ASSIGN(const std::string to, TextAt(letter, "to"));
            fresh.emplace_back(id, to);
        }
        if (fresh.empty()) return {};
        newest_ = fresh.front().first;
        year.letters += fresh.size();
        // Letters of one step leave in any order; the year must not depend on it.
        std::stable_sort(fresh.begin(), fresh.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
        for (auto it = fresh.rbegin(); it != fresh.rend(); ++it) {
            TRY(React(it->first, it->second, now));
        }
        return {};
    }

    base::Status React(const std::string& id, const std::string& to, TimeMs now) {
        auto reaction = people_.ReactTo(to, ++received_[to], now);
        if (reaction.open_ms == 0) return {};
        TRY_ASSIGN(const auto letter, shop_.Send(http::Method::kGet, "/api/v1/mailbox/" + id));
        TRY_ASSIGN(const std::string html, TextAt(letter, "html"));
        const std::string pixel = PathIn(html, "/o/"), link = PathIn(html, "/c/");
        const std::string agent(people_.AgentOf(to));
        if (!pixel.empty()) {
            ++year.opened;
            later_.push({reaction.open_ms, ++order_, true, pixel, agent});
        }
        if (reaction.click_ms == 0 || link.empty()) return {};
        ++year.clicked;
        later_.push({reaction.click_ms, ++order_, true, link, agent});
        for (Act& act : reaction.visit) {
            later_.push({act.at_ms, ++order_, false, std::move(act.json), {}});
        }
        return {};
    }

    Remote& shop_;
    Remote& pages_;
    const DemoOptions& options_;
    const DemoPeople& people_;
    std::priority_queue<Later> later_;
    std::string newest_;
    std::map<std::string, uint64_t> received_;  // Letters by address.
    uint64_t order_ = 0;
};

}  // namespace

base::Result<DemoYear> PlayDemo(const DemoOptions& options) {
    const int64_t begun = base::SteadyNanos();
    const TimeMs end = options.end_ms != 0 ? options.end_ms : base::SystemClock().Now();
    const TimeMs begin = base::DayOf(end - options.days * base::kDayMs) * base::kDayMs;
    TRY_ASSIGN(const catalog::NewKeys keys, MakeWorkspace(options, begin));

    Config config;
    config.directory = options.directory;
    config.listen_address = "127.0.0.1";
    config.listen_port = 0;
    config.public_url = options.public_url;
    config.simulated_clock = true;
    config.simulated_start_ms = begin;
    config.warehouse = false;  // Rows wait in the spool for the server that comes.
    TRY_ASSIGN(const auto pipeline, Pipeline::Start(std::move(config)));
    TRY_ASSIGN(Remote shop, Remote::To(pipeline->address(), keys.secret_key));
    TRY_ASSIGN(Remote pages,
               Remote::To("http://127.0.0.1:" + std::to_string(pipeline->public_port()), ""));

    DemoPlan plan;
    plan.seed = options.seed;
    plan.persons = options.persons;
    plan.begin_ms = begin;
    plan.end_ms = end;
    plan.shop_url = ShopUrl(options);
    const DemoPeople people(plan);
    Player player(shop, pages, options, people);
    player.year.write_key = keys.write_key;
    player.year.planned = people.acts().size();
    TRY(player.Publish());
    TRY(player.Play(begin, end));
    TRY(pipeline->Stop());
    player.year.seconds = static_cast<double>(base::SteadyNanos() - begun) / 1e9;
    return player.year;
}

}  // namespace server
