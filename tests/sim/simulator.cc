#include "tests/sim/simulator.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <set>

#include "base/hash.h"
#include "tests/sim/recount.h"
#include "tests/sim/world.h"

namespace sim {
namespace {

using base::kHourMs;
using base::kMinuteMs;
using base::kSecondMs;

constexpr char kApplication[] =
    R"({"name": "Application", "entry": {"event": "Started", "key": "key", "again": "once_per_key"},)"
    R"( "goal": "did \"Submitted\" since entry", "steps": [{"id": "w", "type": "wait", "for": "1h"},)"
    R"( {"id": "finish", "type": "letter", "subject": "s", "text": "t"}]})";
constexpr char kEveryOrder[] =
    R"({"name": "Orders", "entry": {"event": "Order", "again": "every_time"}, "steps": [)"
    R"({"id": "thanks", "type": "letter", "subject": "s", "text": "t"},)"
    R"({"id": "w", "type": "wait", "for": "3h"},)"
    R"({"id": "b", "type": "branch", "if": "in segment \"twice\"", "then": [)"
    R"({"id": "more", "type": "letter", "subject": "s", "text": "t"}]}]})";
constexpr char kQuiet[] =
    R"({"name": "Quiet", "entry": {"segment": "quiet", "again": "every_time"},)"
    R"( "exit": "not in segment \"quiet\"", "steps": [{"id": "w", "type": "wait", "for": "90m"},)"
    R"( {"id": "miss", "type": "letter", "subject": "s", "text": "t"}]})";

class Random {
  public:
    explicit Random(uint64_t seed) : state_(base::Mix64(seed)) {}
    uint64_t Next() { return state_ = base::Mix64(state_ + 0x9e3779b97f4a7c15ULL); }
    uint64_t Below(uint64_t n) { return Next() % n; }
    bool OneIn(uint64_t n) { return Below(n) == 0; }

  private:
    uint64_t state_;
};

class Life {
  public:
    Life(uint64_t seed, int events)
        : random_(seed), seed_(seed), events_max_(events), world_(OptionsOf(seed)) {}

    Report Run() {
        crowd_ = seed_ % 16 == 5;
        world_.SetAnswer([] { return Answer::kTaken; });
        // Some definitions stand from the beginning, the others come while people come.
        definitions_ = Questions().size() + 3;
        for (uint64_t n = random_.Below(definitions_ + 1); n > 0; --n) Define();
        world_.Publish();
        if (crowd_) Crowd();
        while (static_cast<int>(sent_.size()) < events_max_) Step();
        while (defined_ < definitions_) Define();
        Finish();
        Check();
        return std::move(report_);
    }

  private:
    static Options OptionsOf(uint64_t seed) {
        Options options;
        options.seed = seed;
        const int choices[] = {1, 2, 3, 5, 16};
        options.partitions = seed % 16 == 5 ? 1 : choices[base::Mix64(seed) % 5];
        options.files = seed % 8 == 3;
        return options;
    }

    void Fail(std::string text) {
        if (report_.failures.size() < 20) report_.failures.push_back(std::move(text));
    }

    // --- living ----------------------------------------------------------------------------------

    void Define() {
        if (defined_ >= definitions_) return;
        const size_t n = defined_++;
        const auto& questions = Questions();
        if (n < questions.size()) {
            const auto saved = world_.SaveSegment(questions[n].name, questions[n].condition);
            if (!saved) Fail("segment refused: " + base::ClientText(saved.error()));
            return;
        }
        const char* journeys[] = {kApplication, kEveryOrder, kQuiet};
        const auto saved = world_.SaveJourney(journeys[n - questions.size()]);
        if (!saved) Fail("journey refused: " + base::ClientText(saved.error()));
    }

    // More persons than a cursor visits at one record.
    void Crowd() {
        for (int i = 0; i < 600; ++i) {
            Sent sent;
            sent.call.name = "Viewed";
            sent.call.anonymous = "crowd" + std::to_string(i);
            sent.price = static_cast<double>(i % 100);
            Add(std::move(sent));
        }
        world_.Settle();
        events_max_ += 600;
    }

    void Step() {
        const auto stream = static_cast<StreamId>(
            random_.Below(static_cast<uint64_t>(world_.streams())));
        switch (random_.Below(40)) {
            case 0: case 1: case 2: case 3: case 4: case 5: NewEvent(); return;
            case 6: case 7: Repeat(); return;
            case 8: case 9: case 10: case 11: world_.CommitSome(1 + random_.Below(4)); return;
            case 12: case 13: case 14: case 15: case 16: case 17: case 18: case 19: case 20:
                world_.FoldSome(stream, 1 + random_.Below(8));
                return;
            case 21: case 22: case 23: case 24: case 25: world_.SendRelays(stream); return;
            case 26: case 27: world_.AskForTick(stream); return;
            case 28: case 29: world_.ClaimOne(random_.Next()); return;
            case 30: case 31: world_.DeliverOne(random_.Next(), AnswerNow()); return;
            case 32: case 33: case 34:
                world_.CheckpointSome(stream, 1 + random_.Below(20));
                return;
            case 35: case 36: MoveClock(); return;
            case 37:
                if (random_.OneIn(4)) world_.Settle();
                return;
            case 38:
                if (random_.OneIn(3)) Crash();
                return;
            case 39:
                if (random_.OneIn(3)) {
                    Define();
                    // A publication may be cut off anywhere by a crash.
                    if (random_.OneIn(2)) {
                        world_.Publish(false, static_cast<int>(random_.Below(12)));
                        Crash();
                    }
                    world_.Publish(random_.OneIn(4));
                }
                return;
        }
    }

    Answer AnswerNow() {
        switch (random_.Below(12)) {
            case 0: return Answer::kTemporary;
            case 1: return Answer::kLostBeforeDot;
            case 2: return Answer::kLostAfterDot;
            case 3: return random_.OneIn(4) ? Answer::kRefused : Answer::kTaken;
            default: return Answer::kTaken;
        }
    }

    void MoveClock() {
        const base::DurationMs steps[] = {1,  200, 5 * kSecondMs, kMinuteMs, 20 * kMinuteMs,
                                          kHourMs, 3 * kHourMs};
        // The whole life stays inside the window in which copies are known.
        if (world_.now() - begin_ > 4 * base::kDayMs) return;
        world_.MoveClock(world_.now() + steps[random_.Below(7)]);
    }

    void Crash() {
        const bool power = random_.OneIn(3);
        world_.Crash(random_.OneIn(2) ? 0 : random_.Below(6), power, random_.Next());
        if (random_.OneIn(2)) world_.MoveClock(world_.now() + static_cast<TimeMs>(
                                                                 random_.Below(100 * kSecondMs)));
        world_.Start(static_cast<int>(random_.Below(3)));
        // Clients have no answer and send again, sooner or later.
        for (size_t i = 0; i < sent_.size(); ++i) {
            if (!sent_[i].acknowledged && random_.OneIn(2)) SendAgain(i);
        }
        world_.Publish();
    }

    // Own times are never equal, and attributes a second apart: ties are another test's matter.
    TimeMs OwnTime() {
        const base::DurationMs ages[] = {0, 0, 0, 30 * kSecondMs, 40 * kMinuteMs, 5 * kHourMs,
                                         30 * kHourMs};
        TimeMs at = world_.now() - ages[random_.Below(7)];
        while (!own_times_.insert(at / kSecondMs).second) at -= kSecondMs;
        return at;
    }

    void NewEvent() {
        Sent sent;
        Call& call = sent.call;
        // Browsers and users of two kinds: those whom only browsers name, and those whom a server
        // vouches for.
        const bool vouched = random_.OneIn(3);
        const std::string family = vouched ? "v" : "p";
        const std::string browser = family + std::to_string(random_.Below(6));
        const std::string user = family + "u" + std::to_string(random_.Below(4));
        const std::string email = family + std::to_string(random_.Below(4)) + "@example.test";
        call.anonymous = browser;
        switch (random_.Below(8)) {
            case 0: call.user = user; break;
            case 1:
                call.user = user;
                call.anonymous.clear();
                break;
            case 2: call.email = email; break;
            default: break;
        }
        if (vouched) call.trust = model::Trust::kSecret;
        switch (random_.Below(9)) {
            case 0: case 1: case 2:
                call.name = "Viewed";
                sent.price = static_cast<double>(random_.Below(100));
                break;
            case 3: case 4:
                call.name = "Order";
                sent.revenue = static_cast<double>(random_.Below(160)) / 4;
                break;
            case 5:
                call.name = "Started";
                sent.key = std::to_string(random_.Below(3));
                break;
            case 6:
                call.name = "Submitted";
                sent.key = std::to_string(random_.Below(3));
                break;
            case 7:
                call.type = model::EventType::kIdentify;
                sent.plan = random_.OneIn(2) ? "pro" : "free";
                break;
            default:
                call.type = model::EventType::kPage;
                call.source_kind = "campaign";
                call.medium = random_.OneIn(2) ? "cpc" : "email";
                break;
        }
        if (vouched && random_.OneIn(20)) {
            call.type = model::EventType::kAlias;
            call.name.clear();
            call.email.clear();
            call.anonymous.clear();
            call.user = user;
            call.previous = "vu" + std::to_string(random_.Below(4));
            call.previous_is_user = true;
            sent.plan.clear();
        }
        call.robot = random_.OneIn(25);
        Add(std::move(sent));
        if (random_.OneIn(12)) SendAgain(sent_.size() - 1);
    }

    void Add(Sent sent) {
        Call& call = sent.call;
        sent.number = static_cast<int>(sent_.size());
        call.message_id = "m" + std::to_string(sent.number);
        call.time_ms = OwnTime();
        sent.first_sent_ms = world_.now();
        call.properties = "{\"n\":" + std::to_string(sent.number) +
                          ",\"price\":" + std::to_string(sent.price) +
                          ",\"revenue\":" + std::to_string(sent.revenue) + ",\"key\":\"" +
                          sent.key + "\"}";
        if (!sent.plan.empty()) call.traits = "{\"plan\":\"" + sent.plan + "\"}";
        sent.founder_kind = !call.user.empty()    ? model::IdKind::kUser
                            : !call.email.empty() ? model::IdKind::kEmail
                                                  : model::IdKind::kAnonymous;
        sent.founder = world_.IdOf(sent.founder_kind, !call.user.empty()    ? call.user
                                                      : !call.email.empty() ? call.email
                                                                            : call.anonymous);
        sent_.push_back(std::move(sent));
        SendAgain(sent_.size() - 1);
    }

    void SendAgain(size_t i) {
        world_.Send(sent_[i].call, [this, i] { sent_[i].acknowledged = true; });
    }

    void Repeat() {
        if (!sent_.empty()) SendAgain(random_.Below(sent_.size()));
    }

    void Finish() {
        world_.Publish();
        world_.Settle();
        CheckDurable();
        for (size_t i = 0; i < sent_.size(); ++i) {
            if (!sent_[i].acknowledged) SendAgain(i);
        }
        world_.Settle();
        world_.Publish();
        world_.Settle();
        world_.LiveUntil(world_.now() + 30 * kMinuteMs);
        world_.LiveUntil(world_.now() + 5 * kHourMs + random_.Below(kHourMs));
    }

    // --- recounting ------------------------------------------------------------------------------

    // What was acknowledged is in the log.
    void CheckDurable() {
        std::set<uint64_t> there;
        const auto secret = world_.catalog().FindWorkspace(1)->secret;
        for (StreamId s = 0; s < world_.partitions(); ++s) {
            ForRecords(s, [&](const model::Record& r) { there.insert(r.fingerprint); });
        }
        for (const auto& sent : sent_) {
            if (sent.acknowledged && !there.contains(model::EventFingerprint(
                                         secret, "k1", sent.call.message_id))) {
                Fail("acknowledged and lost: " + sent.call.message_id);
            }
        }
    }

    template <typename Visit>
    void ForRecords(StreamId stream, Visit&& visit) {
        for (model::Offset at = 1; at <= world_.log().End(stream);) {
            auto batch = world_.log().Read(stream, at, 1 << 20);
            if (!batch) {
                Fail("the log cannot be read: " + batch.error().internal);
                return;
            }
            for (const auto& record : batch->records) visit(record);
            at = batch->records.back().offset + 1;
        }
    }

    void Check() {
        for (const auto& fault : world_.faults()) Fail(fault);
        families_.Read(world_.log());
        for (const auto& sent : sent_) {
            by_person_[families_.Root(sent.founder)].push_back(&sent);
        }
        CheckQuiet();
        CheckRows();
        CheckPersons();
        CheckLetters();
        CheckEntries();
        CheckReplays();
        report_.events = sent_.size();
        report_.persons = by_person_.size();
        report_.crashes = world_.crashes();
        report_.letters = world_.deliveries().size();
        for (StreamId s = 0; s < world_.streams(); ++s) report_.records += world_.log().End(s);
    }

    void CheckQuiet() {
        for (StreamId s = 0; s < world_.streams(); ++s) {
            const auto& fold = world_.fold(s);
            if (!fold.relays().empty()) Fail("relays are left in stream " + std::to_string(s));
            if (fold.WantsTick()) Fail("a cursor is left open in stream " + std::to_string(s));
            if (fold.NextDue() <= world_.now()) {
                Fail("a timer was not run in stream " + std::to_string(s));
            }
            if (fold.applied() != world_.log().End(s)) Fail("a record was not folded");
        }
        if (world_.waiting() + world_.granted() + world_.uncommitted() > 0) Fail("work is left");
    }

    // Each event of a client has one row; rows of letters are counted for the persons' totals.
    void CheckRows() {
        std::map<int, int> seen;
        std::map<uint64_t, PersonId> roots;
        for (const auto& sent : sent_) {
            for (const auto& id : IdsOf(sent)) roots[id.lo] = families_.Root(id);
        }
        for (const auto& [key, bytes] : world_.rows()) {
            std::string_view in = bytes;
            warehouse::Row row;
            if (!warehouse::ReadRow(in, row)) {
                Fail("a row cannot be read");
                continue;
            }
            const PersonId root = roots.contains(row.person) ? roots[row.person] : PersonId{};
            if (row.kind == "merged") ++report_.moves;
            if (row.kind == "journey_entered") entered_[{row.partition, row.offset, row.ordinal}] =
                                                   row.time_ms;
            if (row.kind == "segment_entered" || row.kind == "segment_left") {
                if (model::IsNobody(root)) Fail("a move of nobody");
            }
            if (row.kind != "event") continue;
            if (row.name.starts_with("Email ") || row.name == "Unsubscribed") {
                ++server_events_[root];
                continue;
            }
            const auto n = std::find(row.prop_key.begin(), row.prop_key.end(), "n");
            if (n == row.prop_key.end()) {
                Fail("an event that nobody sent: " + row.name);
                continue;
            }
            ++seen[static_cast<int>(row.prop_num[static_cast<size_t>(n - row.prop_key.begin())])];
        }
        for (const auto& sent : sent_) {
            if (seen[sent.number] != 1) {
                Fail("event m" + std::to_string(sent.number) + " has " +
                     std::to_string(seen[sent.number]) + " rows");
            }
        }
    }

    std::vector<PersonId> IdsOf(const Sent& sent) const {
        std::vector<PersonId> ids;
        const Call& call = sent.call;
        const auto add = [&](model::IdKind kind, const std::string& text) {
            if (!text.empty()) ids.push_back(world_.IdOf(kind, text));
        };
        add(model::IdKind::kUser, call.user);
        add(model::IdKind::kEmail, call.email);
        add(model::IdKind::kAnonymous, call.anonymous);
        add(model::IdKind::kUser, call.previous);
        return ids;
    }

    void CheckPersons() {
        std::map<uint32_t, uint64_t> members;
        for (const auto& [root, events] : by_person_) {
            const auto* person = world_.PartitionOf(root).Find(root);
            const std::string name = model::ToText(root).substr(0, 8);
            if (person == nullptr || person->moved()) {
                Fail("person " + name + " is not at home");
                continue;
            }
            const uint32_t wanted = static_cast<uint32_t>(events.size()) + server_events_[root];
            if (person->events != wanted) {
                Fail("person " + name + " has " + std::to_string(person->events) +
                     " events instead of " + std::to_string(wanted));
            }
            for (const auto& sent : events) {
                for (const auto& id : IdsOf(*sent)) {
                    const auto* found = world_.Find(id);
                    if (families_.Root(id) == root && found != nullptr && found != person) {
                        Fail("an id leads to another person than " + name);
                    }
                }
            }
            for (const auto& question : Questions()) {
                const auto segment = world_.SegmentNamed(question.name);
                if (!segment) {
                    Fail("segment " + question.name + " is missing");
                    continue;
                }
                const bool holds = question.holds(events, world_.now());
                members[segment->number] += holds;
                if (person->InSegment(segment->number) != holds) {
                    Fail("segment \"" + question.name + "\" " + (holds ? "lacks" : "has") + " " +
                         name);
                }
            }
        }
        for (const auto& [number, count] : members) {
            uint64_t listed = 0;
            for (int p = 0; p < world_.partitions(); ++p) {
                const auto* slots = world_.people(p).Members(number);
                if (slots != nullptr) listed += slots->cardinality();
            }
            if (listed != count) {
                Fail("segment " + std::to_string(number) + " lists " + std::to_string(listed) +
                     " instead of " + std::to_string(count));
            }
        }
    }

    void CheckLetters() {
        std::map<FactKey, int> taken;
        for (const auto& delivery : world_.deliveries()) {
            if (++taken[delivery.message] > 1) Fail("a letter went out twice");
        }
        for (const auto& [root, events] : by_person_) {
            const auto* person = world_.Find(root);
            if (person == nullptr || !person->facts) continue;
            for (const auto& message : person->facts->messages) {
                const int times = taken[message.id];
                const std::string what = model::ToText(message.id) + " is " +
                                         std::string(model::MessageStateName(message.state)) +
                                         " and went out " + std::to_string(times) + " times";
                switch (message.state) {
                    case model::MessageState::kSent:
                        if (times != 1) Fail(what);
                        break;
                    case model::MessageState::kAmbiguous: break;
                    case model::MessageState::kFailed:
                    case model::MessageState::kSkipped:
                        if (times != 0) Fail(what);
                        break;
                    default: Fail("letter " + what);
                }
            }
        }
    }

    void CheckEntries() {
        const auto application = world_.JourneyNamed("Application");
        for (const auto& [root, events] : by_person_) {
            const auto* person = world_.Find(root);
            if (person == nullptr || !person->facts || !application) continue;
            std::map<FactKey, const model::JourneyEntry*> entries;
            std::map<std::pair<uint32_t, std::string>, int> open;
            for (const auto& entry : person->facts->entries) {
                if (!entries.emplace(entry.id, &entry).second) Fail("an entry stands twice");
                if (entry.end == model::EntryEnd::kOpen && entry.due_ms <= world_.now()) {
                    Fail("a wait was not ended");
                }
                if (entry.end == model::EntryEnd::kOpen &&
                    ++open[{entry.journey, entry.key}] > 1) {
                    Fail("the same journey is open twice");
                }
                if (!entered_.contains(entry.id)) Fail("an entry without its row");
            }
            for (const auto& message : person->facts->messages) {
                const auto entry = entries.find(message.entry);
                if (message.journey != application->number) continue;
                if (entry == entries.end()) {
                    Fail("a letter of no entry");
                } else if (const auto due = entered_[message.entry] + kHourMs;
                           // Who is on her way to another partition hears of it on arrival.
                           person->facts->merged.empty() ? message.created_ms != due
                                                         : message.created_ms < due) {
                    Fail("a wait of 1 h ended after " +
                         std::to_string(message.created_ms - entered_[message.entry]) + " ms");
                }
            }
        }
    }

    // The same log gives the same state, in whatever order partitions run, and however often the
    // one that lived here was killed.
    void CheckReplays() {
        const auto in_turn = world_.Refold(0);
        const auto shuffled = world_.Refold(base::Mix64(seed_) | 1);
        for (StreamId s = 0; s < world_.streams(); ++s) {
            if (in_turn[s] != shuffled[s]) {
                Fail("stream " + std::to_string(s) + " depends on the order of partitions");
            }
            if (world_.Dump(s) != in_turn[s]) {
                Fail("stream " + std::to_string(s) + " is not what its log gives");
            }
        }
    }

    Random random_;
    const uint64_t seed_;
    int events_max_;
    bool crowd_ = false;
    World world_;
    const TimeMs begin_ = world_.now();
    size_t defined_ = 0;
    size_t definitions_ = 0;
    std::deque<Sent> sent_;
    std::set<int64_t> own_times_;
    Families families_;
    std::map<PersonId, std::vector<const Sent*>> by_person_;
    std::map<PersonId, uint32_t> server_events_;
    std::map<FactKey, TimeMs> entered_;
    Report report_;
};

}  // namespace

Report Simulate(uint64_t seed, int events) { return Life(seed, events).Run(); }

}  // namespace sim
