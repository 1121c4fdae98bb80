#include "bench/traffic.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "bench/figure.h"
#include "model/event.h"

namespace bench {
namespace {

constexpr std::string_view kActs[] = {"Product Viewed", "Product Added",   "Cart Viewed",
                                      "Search Made",    "Order Completed", "Wishlist Opened",
                                      "Review Written", "Coupon Applied"};
constexpr std::string_view kCategories[] = {"ovens", "lamps", "chairs", "tables"};
constexpr size_t kMessageDigits = 16;
constexpr size_t kPersonDigits = 7;

std::string Digits(uint64_t value, size_t width) {
    std::string text = std::to_string(value);
    return std::string(width - std::min(width, text.size()), '0') + text;
}

void WriteHex(char* at, uint64_t value) {
    for (size_t i = kMessageDigits; i-- > 0; value >>= 4) at[i] = "0123456789abcdef"[value & 15];
}

// Of 16 variants, so that prices, quantities and categories differ.
std::string Properties(uint64_t variant) {
    const uint64_t price = 20 + variant % 16 * 12, quantity = 1 + variant % 4;
    return "{\"product_id\":\"p-" + Digits(variant % 16 * 611, 6) + "\",\"category\":\"" +
           std::string(kCategories[variant / 4 % 4]) +
           "\",\"name\":\"Steam, 60 cm\",\"brand\":\"Nordal\",\"price\":" + std::to_string(price) +
           ".5,\"quantity\":" + std::to_string(quantity) +
           ",\"currency\":\"EUR\",\"revenue\":" + std::to_string(price * quantity) +
           ",\"in_stock\":" + (variant % 3 == 0 ? "true" : "false") + "}";
}

constexpr std::string_view kPage =
    "{\"path\":\"/ovens/steam\",\"url\":\"https://shop.example/ovens/steam\",\"referrer\":"
    "\"https://www.google.com/\"}";
constexpr std::string_view kLibrary = "{\"name\":\"analytics-node\",\"version\":\"2.1.3\"}";

}  // namespace

std::string EventName(int number) {
    return std::string(kActs[number % 8]) + " " + std::to_string(1 + number / 8);
}

std::string UserId(uint64_t person) { return "u" + Digits(person, kPersonDigits); }

uint64_t ZipfPerson(Random& random, uint64_t persons) {
    // With exponent 1 the share of the first k is ln(k + 1) / ln(n + 1).
    const double rank = std::exp(random.Unit() * std::log(static_cast<double>(persons) + 1));
    return std::min(persons, static_cast<uint64_t>(rank)) - 1;
}

TrackCall::TrackCall(int name, uint64_t variant, base::TimeMs now) {
    text_ = "{\"type\":\"track\",\"messageId\":\"node-";
    message_at_ = text_.size();
    text_ += std::string(kMessageDigits, '0') + "\",\"userId\":\"u";
    person_at_ = text_.size();
    text_ += std::string(kPersonDigits, '0') + "\",\"event\":\"" + EventName(name) +
             "\",\"timestamp\":\"" + base::FormatIso(now) +
             "\",\"properties\":" + Properties(variant) +
             ",\"context\":{\"page\":" + std::string(kPage) +
             ",\"locale\":\"en-GB\",\"timezone\":\"Europe/Berlin\",\"library\":" +
             std::string(kLibrary) + "}}";
    // JSON's white space makes every call the same length, whatever its name.
    constexpr size_t kBytes = 578;
    if (text_.size() > kBytes) Die("a call of " + std::to_string(text_.size()) + " bytes");
    text_.insert(text_.size() - 1, kBytes - text_.size(), ' ');
}

void TrackCall::Write(char* text, size_t at, uint64_t person, uint64_t message) const {
    WriteHex(text + at + message_at_, message);
    char* digits = text + at + person_at_;
    for (size_t i = kPersonDigits; i-- > 0; person /= 10) {
        digits[i] = static_cast<char>('0' + person % 10);
    }
}

model::PersonId RecordMaker::PersonOf(uint64_t person) const {
    return model::PersonOf(secret_, model::IdKind::kUser, UserId(person));
}

namespace {

void Fill(model::NewRecord& record, model::Event& event, const base::SipKey& secret,
          base::TimeMs now) {
    event.time_ms = now;
    event.received_ms = now;
    event.source_key = "k1";
    event.library = kLibrary;
    event.locale = "en-GB";
    event.timezone = "Europe/Berlin";
    record.person = event.person;
    record.fingerprint = model::EventFingerprint(secret, event.source_key, event.message_id);
    record.name_hash = model::NameHash(event.name);
    model::AppendEventJson(record.payload, event);
}

}  // namespace

model::NewRecord RecordMaker::Track(uint64_t person, int name, uint64_t variant, uint64_t message,
                                    base::TimeMs now) const {
    const std::string user = UserId(person), called = EventName(name);
    const std::string properties = Properties(variant);
    std::string message_id = "node-" + std::string(kMessageDigits, '0');
    WriteHex(message_id.data() + 5, message);
    model::Event event;
    event.name = called;
    event.message_id = message_id;
    event.user_id = user;
    event.person = PersonOf(person);
    event.properties = properties;
    event.page = kPage;
    event.source.kind = "search";
    event.source.source = "google";
    event.source.medium = "organic";
    event.source.referrer_host = "google.com";
    model::NewRecord record;
    Fill(record, event, secret_, now);
    record.workspace = workspace_;
    record.stream = model::PartitionOf(record.person, partitions_);
    return record;
}

model::NewRecord RecordMaker::Identify(uint64_t person, uint64_t message, base::TimeMs now) const {
    const std::string user = UserId(person);
    Random random(person);
    std::string traits = "{";
    for (int i = 0; i < 10; ++i) {
        traits +=
            "\"text_" + std::to_string(i) + "\":\"value " + Digits(random.Below(10'000), 6) + "\",";
    }
    for (int i = 0; i < 6; ++i) {
        traits +=
            "\"number_" + std::to_string(i) + "\":" + std::to_string(random.Below(100'000)) + ",";
    }
    traits +=
        "\"paying\":true,\"invited\":false,\"created\":\"2025-03-01T10:00:00Z\","
        "\"trial_end\":\"2026-03-01\"}";
    std::string message_id = "node-" + std::string(kMessageDigits, '0');
    WriteHex(message_id.data() + 5, message);
    model::Event event;
    event.type = model::EventType::kIdentify;
    event.name = model::StandingName(event.type);
    event.message_id = message_id;
    event.user_id = user;
    event.person = PersonOf(person);
    event.traits = traits;
    model::NewRecord record;
    Fill(record, event, secret_, now);
    record.workspace = workspace_;
    record.stream = model::PartitionOf(record.person, partitions_);
    return record;
}

std::vector<std::string> Conditions(int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) {
        const std::string name = '"' + EventName(i % kEventNames) + '"';
        switch (i / kEventNames) {
            case 0:
                all.push_back("did " + name + " 2+ times");
                break;
            case 1:
                all.push_back("did " + name + " where category is \"ovens\"");
                break;
            case 2:
                all.push_back("did " + name + " where price >= 100, 3+ times within 7d");
                break;
            case 3:
                all.push_back("sum(revenue) of " + name + " >= 1000");
                break;
            case 4:
                all.push_back("did " + name + " within 30d");
                break;
            case 5:
                all.push_back("last " + name + " more than 30d ago");
                break;
            case 6:
                all.push_back("did " + name + " where quantity >= 2, 5+ times");
                break;
            default:
                Die("no more conditions");
        }
    }
    return all;
}

std::vector<std::string> SegmentConditions(int segments, int conditions) {
    const auto parts = Conditions(conditions);
    std::vector<std::string> all;
    for (int s = 0; s < segments; ++s) {
        // This segment's share, spread over the kinds.
        std::string text;
        int used = 0;
        for (int i = s; i < conditions; i += segments, ++used) {
            const auto& part = parts[static_cast<size_t>(i)];
            if (used == 0) {
                text = part;
            } else if (used % 2 == 1) {
                text = "(" + text + " and " + part + ")";
            } else {
                text = "(" + text + " or " + part + ")";
            }
        }
        all.push_back(std::move(text));
    }
    return all;
}

}  // namespace bench
