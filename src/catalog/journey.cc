#include "catalog/journey.h"

#include <simdjson.h>

#include <algorithm>
#include <set>

#include "language/condition/parse.h"
#include "language/condition/span.h"
#include "language/condition/references.h"
#include "model/record.h"

namespace catalog {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr size_t kStepsMax = 500;
constexpr int kBranchDepthMax = 16;
constexpr base::DurationMs kWaitMax = 5LL * 365 * base::kDayMs;

// Reads one object: known fields once each, everything else is refused with its path.
class Fields {
  public:
    static base::Result<Fields> Open(element e, std::string path) {
        object o;
        if (e.get(o) != simdjson::SUCCESS) return base::Invalid("expected an object", path);
        return Fields(o, std::move(path));
    }
    base::Result<std::string> Text(std::string_view key, bool required) {
        known_.insert(std::string(key));
        std::string_view value;
        const auto found = object_.at_key(key);
        if (found.error() != simdjson::SUCCESS || found.value_unsafe().is_null()) {
            if (required) return base::Invalid("\"" + std::string(key) + "\" is missing", path_);
            return std::string();
        }
        if (found.get(value) != simdjson::SUCCESS) {
            return base::Invalid("expected text", At(key));
        }
        if (required && value.empty()) return base::Invalid("must not be empty", At(key));
        return std::string(value);
    }
    std::optional<element> Find(std::string_view key) {
        known_.insert(std::string(key));
        const auto found = object_.at_key(key);
        if (found.error() != simdjson::SUCCESS || found.value_unsafe().is_null()) {
            return std::nullopt;
        }
        return found.value_unsafe();
    }
    base::Status NoOthers() const {
        for (const auto& [key, value] : object_) {
            if (!known_.contains(std::string(key))) {
                return base::Invalid("unknown field \"" + std::string(key) + "\"", At(key));
            }
        }
        return {};
    }
    std::string At(std::string_view key) const {
        return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
    }

  private:
    Fields(object o, std::string path) : object_(o), path_(std::move(path)) {}
    object object_;
    std::string path_;
    std::set<std::string> known_;
};

class Compiler {
  public:
    Compiler(const evaluate::LeafSource& leaves, const evaluate::SegmentSource& segments)
        : segments_(segments), leaves_([this, &leaves](const condition::Expression& part) {
              auto leaf = leaves(part);
              if (leaf) Remember(*leaf);
              return leaf;
          }) {}

    base::Result<std::shared_ptr<const Journey>> Compile(element root) {
        TRY_ASSIGN(Fields fields, Fields::Open(root, ""));
        TRY_ASSIGN(journey_->name, fields.Text("name", true));
        const auto entry = fields.Find("entry");
        if (!entry) return base::Invalid("\"entry\" is missing");
        TRY(Entry(*entry));
        TRY_ASSIGN(const std::string goal, fields.Text("goal", false));
        if (!goal.empty()) {
            TRY_ASSIGN(auto program, Condition(goal, "goal"));
            journey_->goal = std::move(program);
        }
        TRY_ASSIGN(const std::string exit, fields.Text("exit", false));
        if (!exit.empty()) {
            TRY_ASSIGN(auto program, Condition(exit, "exit"));
            journey_->exit = std::move(program);
        }
        const auto steps = fields.Find("steps");
        if (!steps) return base::Invalid("\"steps\" is missing");
        TRY(fields.NoOthers());
        TRY(Steps(*steps, "steps", 0));
        if (journey_->program.empty()) return base::Invalid("a journey needs a step", "steps");
        return std::shared_ptr<const Journey>(std::move(journey_));
    }

  private:
    void Remember(const evaluate::LeafPtr& leaf) {
        auto& all = journey_->leaves;
        if (std::find(all.begin(), all.end(), leaf) != all.end()) return;
        all.push_back(leaf);
        if (leaf->since_entry()) journey_->since_entry_leaves.push_back(leaf);
    }

    base::Result<evaluate::Program> Condition(const std::string& text, const std::string& at) {
        auto parsed = condition::Parse(text);
        if (!parsed) {
            auto error = std::move(parsed.error());
            error.at = error.at.empty() ? at : at + ":" + error.at;
            return tl::make_unexpected(std::move(error));
        }
        auto program = evaluate::Program::Compile(**parsed, leaves_, segments_);
        if (!program && program.error().at.empty()) program.error().at = at;
        return program;
    }

    base::Status Entry(element e) {
        TRY_ASSIGN(Fields fields, Fields::Open(e, "entry"));
        TRY_ASSIGN(journey_->entry_event, fields.Text("event", false));
        TRY_ASSIGN(const std::string segment, fields.Text("segment", false));
        if (journey_->entry_event.empty() == segment.empty()) {
            return base::Invalid("an entry names either an event or a segment", "entry");
        }
        TRY_ASSIGN(const std::string again, fields.Text("again", false));
        TRY_ASSIGN(journey_->key, fields.Text("key", false));
        if (again == "once_per_key") {
            journey_->again = Again::kOncePerKey;
            if (journey_->key.empty()) {
                return base::Invalid("once_per_key needs \"key\"", "entry.key");
            }
        } else if (again == "every_time") {
            journey_->again = Again::kEveryTime;
        } else if (again.empty() || again == "once") {
            journey_->again = Again::kOnce;
        } else {
            return base::Invalid("again is once, every_time or once_per_key", "entry.again");
        }
        if (!segment.empty()) {
            TRY_ASSIGN(const std::string on, fields.Text("on", false));
            if (!on.empty() && on != "enter" && on != "leave") {
                return base::Invalid("on is enter or leave", "entry.on");
            }
            if (!journey_->key.empty()) {
                return base::Invalid("only an entry by event has a key", "entry.key");
            }
            journey_->entry_on_leave = on == "leave";
            TRY_ASSIGN(const uint32_t number, segments_(segment));
            journey_->entry_segment = number;
        } else {
            journey_->entry_hash = model::NameHash(journey_->entry_event);
            TRY_ASSIGN(const std::string where, fields.Text("where", false));
            if (!where.empty()) TRY(EntryFilter(where));
        }
        return fields.NoOthers();
    }

    base::Status EntryFilter(const std::string& where) {
        // A filter stands only inside an event condition; it is read as part of one.
        auto parsed = condition::Parse("did \"x\" where " + where);
        if (!parsed) return base::Invalid(base::ClientText(parsed.error()), "entry.where");
        const auto* count = std::get_if<condition::Count>(&(*parsed)->node);
        if (count == nullptr || !count->events.where || count->at_least != 1 ||
            count->events.within.ms != 0 || count->events.since_entry) {
            return base::Invalid("expected a condition on properties of the event", "entry.where");
        }
        TRY_ASSIGN(auto filter, condition::Filter::Create(*count->events.where));
        journey_->entry_where = std::move(filter);
        return {};
    }

    base::Status Steps(element e, const std::string& path, int depth) {
        simdjson::dom::array steps;
        if (e.get(steps) != simdjson::SUCCESS) return base::Invalid("expected a list", path);
        if (depth > kBranchDepthMax) return base::Invalid("branches nest too deeply", path);
        size_t i = 0;
        for (const element step : steps) {
            TRY(Step(step, path + "[" + std::to_string(i++) + "]", depth));
        }
        return {};
    }

    base::Status Step(element e, const std::string& path, int depth) {
        TRY_ASSIGN(Fields fields, Fields::Open(e, path));
        TRY_ASSIGN(const std::string id, fields.Text("id", true));
        TRY_ASSIGN(const std::string type, fields.Text("type", true));
        if (!ids_.insert(id).second) {
            return base::Invalid("the id \"" + id + "\" is used twice", path + ".id");
        }
        if (ids_.size() > kStepsMax) return base::Invalid("more than 500 steps", path);
        if (type == "wait") {
            TRY_ASSIGN(const std::string span, fields.Text("for", true));
            TRY(fields.NoOthers());
            return Wait(id, span, path);
        }
        if (type == "branch") return Branch(fields, id, path, depth);
        if (type == "letter") return LetterStep(fields, id, path);
        if (type == "exit") {
            TRY(fields.NoOthers());
            Emit(Instruction::Kind::kExit, id);
            return {};
        }
        return base::Invalid("a step is of type wait, branch, letter or exit", path + ".type");
    }

    base::Status Wait(const std::string& id, const std::string& span, const std::string& path) {
        const auto parsed = condition::ReadLength(span);
        if (!parsed || parsed->ms <= 0) {
            return base::Invalid("expected a time such as 30s 15m 12h 7d 2w 3mo 1y",
                                 path + ".for");
        }
        if (parsed->ms > kWaitMax) {
            return base::Invalid("a wait is at most 5 years", path + ".for");
        }
        Emit(Instruction::Kind::kWait, id).wait_ms = parsed->ms;
        return {};
    }

    base::Status Branch(Fields& fields, const std::string& id, const std::string& path,
                        int depth) {
        TRY_ASSIGN(const std::string test, fields.Text("if", true));
        TRY_ASSIGN(auto program, Condition(test, path + ".if"));
        const auto then = fields.Find("then");
        const auto otherwise = fields.Find("else");
        TRY(fields.NoOthers());
        if (!then && !otherwise) return base::Invalid("a branch needs then or else", path);
        const size_t branch = journey_->program.size();
        Emit(Instruction::Kind::kBranch, id).condition = std::move(program);
        if (then) TRY(Steps(*then, path + ".then", depth + 1));
        const size_t jump = journey_->program.size();
        Emit(Instruction::Kind::kJump, id);
        journey_->program[branch].target = static_cast<uint32_t>(journey_->program.size());
        if (otherwise) TRY(Steps(*otherwise, path + ".else", depth + 1));
        journey_->program[jump].target = static_cast<uint32_t>(journey_->program.size());
        return {};
    }

    base::Status Template(Fields& fields, std::string_view key, bool required,
                          std::optional<liquid::Template>& into) {
        TRY_ASSIGN(const std::string text, fields.Text(key, required));
        if (text.empty()) return {};
        auto parsed = liquid::Template::Parse(text);
        if (!parsed) {
            auto error = std::move(parsed.error());
            error.at = fields.At(key) + (error.at.empty() ? "" : ":" + error.at);
            return tl::make_unexpected(std::move(error));
        }
        into = std::move(*parsed);
        return {};
    }

    base::Status LetterStep(Fields& fields, const std::string& id, const std::string& path) {
        auto letter = std::make_shared<Letter>();
        TRY_ASSIGN(letter->subject_text, fields.Text("subject", true));
        TRY(Template(fields, "subject", true, letter->subject));
        TRY(Template(fields, "text", false, letter->text));
        TRY(Template(fields, "html", false, letter->html));
        if (!letter->text && !letter->html) {
            return base::Invalid("a letter needs text or html", path);
        }
        TRY_ASSIGN(letter->from, fields.Text("from", false));
        TRY_ASSIGN(letter->reply_to, fields.Text("reply_to", false));
        TRY(fields.NoOthers());
        Emit(Instruction::Kind::kLetter, id).letter = std::move(letter);
        return {};
    }

    Instruction& Emit(Instruction::Kind kind, const std::string& step) {
        auto& instruction = journey_->program.emplace_back();
        instruction.kind = kind;
        instruction.step = step;
        return instruction;
    }

    const evaluate::SegmentSource& segments_;
    std::shared_ptr<Journey> journey_ = std::make_shared<Journey>();
    evaluate::LeafSource leaves_;
    std::set<std::string> ids_;
};

}  // namespace

base::Result<std::shared_ptr<const Journey>> CompileJourney(
    std::string_view body, const evaluate::LeafSource& leaves,
    const evaluate::SegmentSource& segments) {
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(simdjson::padded_string(body)).get(root) != simdjson::SUCCESS) {
        return base::Invalid("the journey is not valid JSON");
    }
    return Compiler(leaves, segments).Compile(root);
}

}  // namespace catalog
