#include "tests/flow/scenario.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "base/json.h"
#include "language/condition/span.h"
#include "tests/sim/world.h"

namespace flow {
namespace {

using base::TimeMs;
using model::IdKind;
using model::PersonId;

// What a line says is wrong; the file and line are added where it is caught.
struct Failure {
    std::string text;
};

[[noreturn]] void Fail(std::string text) { throw Failure{std::move(text)}; }

struct Word {
    std::string text;
    bool quoted = false;
};

// Words of a line: bare, "quoted", and key=value whose value may be quoted or JSON.
std::vector<Word> WordsOf(const std::string& line) {
    std::vector<Word> words;
    size_t i = 0;
    while (i < line.size()) {
        if (line[i] == ' ') {
            ++i;
            continue;
        }
        if (line[i] == '#') break;
        Word word;
        if (line[i] == '"') {
            word.quoted = true;
            for (++i; i < line.size() && line[i] != '"'; ++i) word.text += line[i];
            ++i;
        } else {
            int depth = 0;
            bool inside = false;
            for (; i < line.size() && (line[i] != ' ' || depth > 0 || inside); ++i) {
                if (line[i] == '"') inside = !inside;
                if (!inside && (line[i] == '{' || line[i] == '[')) ++depth;
                if (!inside && (line[i] == '}' || line[i] == ']')) --depth;
                word.text += line[i];
            }
        }
        words.push_back(std::move(word));
    }
    return words;
}

base::DurationMs LengthOf(const std::string& text) {
    const auto span = condition::ReadLength(text);
    if (!span) Fail("not a length of time: " + text);
    return span->ms;
}

// 5, true, "text", {...} as JSON; anything else becomes a JSON text.
std::string JsonOf(const std::string& value) {
    double number = 0;
    const auto r = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = r.ec == std::errc() && r.ptr == value.data() + value.size();
    if (is_number || value == "true" || value == "false" || value == "null" ||
        (!value.empty() && std::string("\"{[").find(value.front()) != std::string::npos)) {
        return value;
    }
    std::string out;
    base::AppendJsonString(out, value);
    return out;
}

std::string_view EndName(model::EntryEnd end) {
    switch (end) {
        case model::EntryEnd::kOpen: return "open";
        case model::EntryEnd::kFinished: return "finished";
        case model::EntryEnd::kGoal: return "goal";
        case model::EntryEnd::kExit: return "exit";
        case model::EntryEnd::kMerged: return "merged";
        case model::EntryEnd::kRetired: return "stopped";
    }
    return "unknown";
}

std::string Join(const std::vector<std::string>& list) {
    std::string out;
    for (const auto& item : list) out += (out.empty() ? "" : ", ") + item;
    return out.empty() ? "none" : out;
}

class Scenario {
  public:
    void Do(const std::string& line) {
        words_ = WordsOf(line);
        if (words_.empty()) return;
        at_ = 0;
        const std::string verb = Next();
        if (verb == "partitions") {
            options_.partitions = std::stoi(Next());
        } else if (verb == "at") {
            At(Next());
        } else if (verb == "after") {
            world().LiveUntil(world().now() + LengthOf(Next()));
        } else if (verb == "segment" || verb == "refuse") {
            Define(verb == "refuse", line);
        } else if (verb == "journey") {
            Accept(world().SaveJourney(line.substr(line.find('{'))));
            world().Publish();
            world().Settle();
        } else if (verb == "stop") {
            Accept(world().StopJourney(Next()));
            world().Publish();
            world().Settle();
        } else if (verb == "delete") {
            Accept(world().DeleteSegment(Next()));
            world().Publish();
            world().Settle();
        } else if (verb == "event" || verb == "identify" || verb == "alias" || verb == "late") {
            Send(verb);
        } else if (verb == "again") {
            Again(Next());
        } else if (verb == "mail") {
            Mail();
        } else if (verb == "opens" || verb == "clicks" || verb == "unsubscribes") {
            React(verb);
        } else if (verb == "restart") {
            Restart();
        } else if (verb == "expect") {
            Expect();
        } else {
            Fail("unknown word \"" + verb + "\"");
        }
        if (at_ < words_.size() && verb != "segment" && verb != "refuse" && verb != "journey") {
            Fail("not understood: \"" + words_[at_].text + "\"");
        }
        for (const auto& fault : world().faults()) Fail(fault);
    }

  private:
    sim::World& world() {
        if (!world_) world_ = std::make_unique<sim::World>(options_);
        return *world_;
    }

    // --- words -----------------------------------------------------------------------------------

    bool More() const { return at_ < words_.size(); }
    std::string Next() {
        if (!More()) Fail("the line ends too early");
        return words_[at_++].text;
    }
    bool Take(const std::string& word) {
        if (!More() || words_[at_].quoted || words_[at_].text != word) return false;
        ++at_;
        return true;
    }

    struct Who {
        std::string user, email, anonymous;
    };
    // a1: a browser; user:u1; ada@example.test; joined by commas when one call carries several.
    static Who WhoOf(const std::string& text) {
        Who who;
        std::stringstream list(text);
        for (std::string part; std::getline(list, part, ',');) {
            if (part.starts_with("user:")) {
                who.user = part.substr(5);
            } else if (part.find('@') != std::string::npos) {
                who.email = part;
            } else {
                who.anonymous = part;
            }
        }
        return who;
    }
    PersonId IdOf(const std::string& text) {
        const Who who = WhoOf(text);
        if (!who.user.empty()) return world().IdOf(IdKind::kUser, who.user);
        if (!who.email.empty()) return world().IdOf(IdKind::kEmail, who.email);
        return world().IdOf(IdKind::kAnonymous, who.anonymous);
    }
    const model::Person* Find(const std::string& text) { return world().Find(IdOf(text)); }
    const model::Person& Get(const std::string& text) {
        const auto* person = Find(text);
        if (person == nullptr) Fail("nobody is known as " + text);
        return *person;
    }

    static void Accept(const base::Status& status) {
        if (!status) Fail("refused: " + base::ClientText(status.error()));
    }

    // --- doing -----------------------------------------------------------------------------------

    void At(const std::string& text) {
        const auto time = base::ParseIso(text);
        if (!time) Fail("not a time: " + text);
        if (!world_) {
            options_.begin_ms = *time;
        } else {
            world().LiveUntil(*time);
        }
    }

    void Define(bool refuse, const std::string& line) {
        const std::string name = Next();
        const size_t colon = line.find("\":");
        if (colon == std::string::npos) Fail("a segment is written: segment \"name\": condition");
        std::string condition = line.substr(colon + 2);
        std::string because;
        if (refuse) {
            const size_t arrow = condition.find(" because ");
            if (arrow == std::string::npos) Fail("refuse ... because TEXT");
            because = condition.substr(arrow + 9);
            condition.resize(arrow);
        }
        const auto saved = world().SaveSegment(name, condition);
        if (refuse) {
            if (saved) Fail("the segment was taken");
            const std::string text = base::ClientText(saved.error());
            if (text.find(because) == std::string::npos) Fail("refused otherwise: " + text);
            return;
        }
        if (!saved) Fail("refused: " + base::ClientText(saved.error()));
        world().Publish();
        world().Settle();
    }

    void Send(const std::string& verb) {
        sim::Call call;
        const Who who = WhoOf(Next());
        call.user = who.user;
        call.email = who.email;
        call.anonymous = who.anonymous;
        if (verb == "identify") {
            call.type = model::EventType::kIdentify;
        } else if (verb == "alias") {
            call.type = model::EventType::kAlias;
            if (!Take("from")) Fail("alias WHO from WHO");
            const Who from = WhoOf(Next());
            call.previous_is_user = !from.user.empty();
            call.previous = from.user.empty() ? from.anonymous : from.user;
        } else {
            call.name = Next();
            if (call.name == "Page") call.type = model::EventType::kPage;
        }
        std::string fields;
        while (More()) {
            const std::string word = Next();
            const size_t equals = word.find('=');
            const std::string key = word.substr(0, equals);
            const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
            if (word == "secret") {
                call.trust = model::Trust::kSecret;
            } else if (word == "signed") {
                call.trust = model::Trust::kSigned;
            } else if (word == "robot") {
                call.robot = true;
            } else if (word == "import") {
                call.import = true;
                call.trust = model::Trust::kSecret;
            } else if (word == "ago") {
                Fail("write ago=2h");
            } else if (key == "ago") {
                call.time_ms = world().now() - LengthOf(value);
            } else if (key == "id") {
                call.message_id = value;
            } else if (key == "medium") {
                call.medium = value;
                call.source_kind = "campaign";
            } else if (key == "city") {
                call.city = value;
            } else {
                fields += fields.empty() ? "{" : ",";
                base::AppendJsonString(fields, key);
                fields += ":" + JsonOf(value);
            }
        }
        if (!fields.empty()) fields += '}';
        (verb == "identify" ? call.traits : call.properties) = fields;
        if (verb == "identify" && call.traits.find("\"email\"") != std::string::npos) {
            // As a client's identify with an email among its traits: the email joins, too.
            const size_t at = call.traits.find("\"email\":\"") + 9;
            call.email = call.traits.substr(at, call.traits.find('"', at) - at);
        }
        if (!call.message_id.empty()) sent_[call.message_id] = call;
        world().Send(call);
        if (verb == "late") return;   // Goes out together with the next line.
        world().Settle();
    }

    void Again(const std::string& id) {
        const auto it = sent_.find(id);
        if (it == sent_.end()) Fail("no call has the id " + id);
        world().Send(it->second);
        world().Settle();
    }

    void Mail() {
        const std::string how = Next();
        if (how == "held") {
            world().HoldMail(true);
            return;
        }
        world().HoldMail(false);
        auto answer = sim::Answer::kTaken;
        if (how == "later") answer = sim::Answer::kTemporary;
        if (how == "refused") answer = sim::Answer::kRefused;
        if (how == "lost") answer = sim::Answer::kLostAfterDot;
        if (how == "fine" || how == "later" || how == "refused" || how == "lost") {
            world().SetAnswer([answer] { return answer; });
            world().Settle();
            return;
        }
        Fail("mail is held, fine, later, refused or lost");
    }

    void React(const std::string& verb) {
        const std::string who = Next();
        const std::string step = Next();
        int link = 1;
        bool machine = false;
        while (More()) {
            const std::string word = Next();
            if (word == "robot") {
                machine = true;
            } else if (word.starts_with("link=")) {
                link = std::stoi(word.substr(5));
            } else {
                Fail("not understood: " + word);
            }
        }
        const PersonId root = Get(who).id;
        for (const auto& letter : world().deliveries()) {
            const auto* to = world().Find(letter.person);
            if (letter.step != step || to == nullptr || to->id != root) continue;
            const auto kind = verb == "opens"    ? model::ReceiptKind::kOpened
                              : verb == "clicks" ? model::ReceiptKind::kClicked
                                                 : model::ReceiptKind::kUnsubscribed;
            world().Receipt(letter.message, letter.person, kind, link, machine);
            world().Settle();
            return;
        }
        Fail("no letter \"" + step + "\" was sent to " + who);
    }

    // restart [after LENGTH] [from nothing]: kill -9, some time later a start.
    void Restart() {
        world().Crash(0, false, 0);
        if (Take("after")) world().MoveClock(world().now() + LengthOf(Next()));
        int back = 0;
        if (Take("from")) {
            if (!Take("nothing")) Fail("restart from nothing");
            back = 2;
        }
        world().Start(back);
        world().Settle();
    }

    // --- expecting -------------------------------------------------------------------------------

    void Expect() {
        const std::string what = Next();
        if (what == "segment") return ExpectSegment();
        if (what == "mail") return ExpectMail();
        if (what == "state") return ExpectState();
        if (what == "journey") return ExpectJourney();
        if (what == "attribute") return ExpectAttribute();
        if (what == "events") return ExpectEvents();
        if (what == "rows") return ExpectRows();
        if (what == "claim") return ExpectClaim();
        if (what == "same" || what == "different") {
            const PersonId a = Get(Next()).id, b = Get(Next()).id;
            if ((a == b) != (what == "same")) {
                Fail(what == "same" ? "they are two persons" : "they are one person");
            }
            return;
        }
        Fail("unknown expectation \"" + what + "\"");
    }

    void ExpectSegment() {
        const std::string name = Next();
        const auto segment = world().SegmentNamed(name);
        if (!segment) Fail("no segment " + name);
        const std::string verb = Next();
        if (verb == "counts") {
            uint64_t members = 0;
            for (int p = 0; p < world().partitions(); ++p) {
                const auto* slots = world().people(p).Members(segment->number);
                if (slots != nullptr) members += slots->cardinality();
            }
            const uint64_t wanted = std::stoull(Next());
            if (members != wanted) Fail("it has " + std::to_string(members));
            return;
        }
        if (verb != "has" && verb != "lacks") Fail("a segment has, lacks or counts");
        while (More()) {
            const std::string who = Next();
            const auto* person = Find(who);
            const bool member = person != nullptr && person->InSegment(segment->number);
            const auto* slots =
                person == nullptr ? nullptr
                                  : world().PartitionOf(person->id).Members(segment->number);
            const bool listed = slots != nullptr && slots->contains(person->slot);
            if (member != listed) Fail("card and list of the segment differ about " + who);
            if (member != (verb == "has")) {
                Fail("segment \"" + name + "\" " + (member ? "has " : "lacks ") + who);
            }
        }
    }

    void ExpectMail() {
        const std::string step = Next();
        if (!Take("to")) Fail("expect mail STEP to WHO ...");
        const std::string who = Next();
        const std::string count = Next();
        const size_t wanted = count == "none"    ? 0
                              : count == "once"  ? 1
                              : count == "twice" ? 2
                                                 : std::stoul(count);
        const auto* person = Find(who);
        size_t found = 0;
        const sim::Delivery* last = nullptr;
        for (const auto& letter : world().deliveries()) {
            const auto* to = world().Find(letter.person);
            if (person == nullptr || to == nullptr || to->id != person->id) continue;
            if (letter.step != step) continue;
            ++found;
            last = &letter;
        }
        if (found != wanted) {
            Fail("mail \"" + step + "\" to " + who + ": " + std::to_string(found) + " times");
        }
        if (Take("at")) {
            const std::string at = Next();
            const auto time = base::ParseIso(at);
            if (!time || last == nullptr) Fail("no such time or letter");
            if (last->at_ms != *time) Fail("it was sent at " + base::FormatIso(last->at_ms));
        }
        if (Take("address")) {
            const std::string address = Next();
            if (last == nullptr || last->address != address) {
                Fail("it went to " + (last == nullptr ? "nobody" : last->address));
            }
        }
        if (Take("values")) {
            const std::string part = Next();
            if (last == nullptr || last->values.find(part) == std::string::npos) {
                Fail("its values are " + (last == nullptr ? "none" : last->values));
            }
        }
    }

    void ExpectState() {
        const std::string step = Next();
        if (!Take("of")) Fail("expect state STEP of WHO STATE [\"reason\"]");
        const model::Person& person = Get(Next());
        const std::string state = Next();
        const std::string reason = More() ? Next() : "";
        std::vector<std::string> found;
        if (person.facts) {
            for (const auto& message : person.facts->messages) {
                const auto journey =
                    world().catalog().FindJourney(message.journey, message.version);
                if (!journey || journey->program[message.step].step != step) continue;
                const std::string name(model::MessageStateName(message.state));
                if (name == state && (reason.empty() || message.reason == reason)) return;
                found.push_back(name + " (" + message.reason + ")");
            }
        }
        Fail("messages of \"" + step + "\": " + Join(found));
    }

    // expect journey "name" of WHO open exit ... : its entries in their order; none: no entry.
    void ExpectJourney() {
        const std::string name = Next();
        if (!Take("of")) Fail("expect journey NAME of WHO ENDS");
        const auto* person = Find(Next());
        std::vector<std::string> wanted, found;
        while (More()) wanted.push_back(Next());
        if (wanted == std::vector<std::string>{"none"}) wanted.clear();
        const auto journey = world().JourneyNamed(name);
        if (!journey) Fail("no journey " + name);
        if (person != nullptr && person->facts) {
            for (const auto& entry : person->facts->entries) {
                if (entry.journey == journey->number) found.emplace_back(EndName(entry.end));
            }
        }
        if (found != wanted) Fail("entries: " + Join(found));
    }

    void ExpectAttribute() {
        const std::string name = Next();
        if (!Take("of")) Fail("expect attribute NAME of WHO VALUE");
        const std::string who = Next();
        const model::Person& person = Get(who);
        const auto& names = world().PartitionOf(person.id).names();
        const std::string wanted = Next();
        const uint32_t number = names.Find(name);
        const auto value = number == model::Names::kUnknown ? model::AttributeValue{}
                                                            : person.attributes.Find(number);
        std::string found;
        switch (value.type) {
            case model::AttributeType::kNone: found = "none"; break;
            case model::AttributeType::kTrue: found = "true"; break;
            case model::AttributeType::kFalse: found = "false"; break;
            case model::AttributeType::kNumber: base::AppendJsonNumber(found, value.number); break;
            default: found = value.text;
        }
        if (found != wanted) Fail(name + " of " + who + " is " + found);
    }

    void ExpectEvents() {
        if (!Take("of")) Fail("expect events of WHO N");
        const std::string who = Next();
        const auto* person = Find(who);
        const uint32_t found = person == nullptr ? 0 : person->events;
        if (found != std::stoul(Next())) Fail(who + " has " + std::to_string(found) + " events");
    }

    // expect rows KIND of WHO N
    void ExpectRows() {
        const std::string kind = Next();
        if (!Take("of")) Fail("expect rows KIND of WHO N");
        const model::Person& person = Get(Next());
        const size_t wanted = std::stoul(Next());
        size_t found = 0;
        for (const auto& [key, bytes] : world().rows()) {
            std::string_view in = bytes;
            warehouse::Row row;
            if (!warehouse::ReadRow(in, row)) Fail("a row that cannot be read");
            found += row.kind == kind && row.person == person.id.lo;
        }
        if (found != wanted) Fail("rows: " + std::to_string(found));
    }

    void ExpectClaim() {
        if (!Take("of")) Fail("expect claim of WHO pending|none");
        const model::Person& person = Get(Next());
        const bool pending = person.facts && !person.facts->claims.empty();
        if (pending != (Next() == "pending")) Fail(pending ? "it is pending" : "there is none");
    }

    sim::Options options_;
    std::unique_ptr<sim::World> world_;
    std::vector<Word> words_;
    size_t at_ = 0;
    std::map<std::string, sim::Call> sent_;
};

int Depth(const std::string& text) {
    int depth = 0;
    bool inside = false;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) inside = !inside;
        if (!inside && text[i] == '{') ++depth;
        if (!inside && text[i] == '}') --depth;
    }
    return depth;
}

}  // namespace

std::string RunScenario(const std::string& path) {
    std::ifstream file(path);
    if (!file) return path + ": cannot be read";
    Scenario scenario;
    std::string line;
    int number = 0;
    while (std::getline(file, line)) {
        const int first = ++number;
        // A journey's JSON goes on until its braces are closed.
        if (line.starts_with("journey")) {
            std::string more;
            while (Depth(line) > 0 && std::getline(file, more)) {
                line += ' ' + more;
                ++number;
            }
        }
        try {
            scenario.Do(line);
        } catch (const Failure& failure) {
            return path + ":" + std::to_string(first) + ": " + line + "\n    " + failure.text;
        }
    }
    return {};
}

}  // namespace flow
