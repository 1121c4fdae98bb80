// A journey version made ready to run: entry, goal, exit and a flat list of instructions.
//
// Text form (the body of POST /api/v1/journeys; docs/journeys.md):
//   {"name", "entry": {"event", "where"?, "key"?, "again"?} | {"segment", "on"?, "again"?},
//    "goal"?, "exit"?, "steps": [...]}
// Steps: {"id", "type": "wait", "for": "1h"}; {"id", "type": "branch", "if": condition,
//    "then": [...], "else": [...]}; {"id", "type": "letter", "subject", "text"?, "html"?,
//    "from"?, "reply_to"?}; {"id", "type": "exit"}.
// again: "once", "every_time" (when not inside already), "once_per_key" (needs key).
//
// Threads: immutable.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "language/evaluate/program.h"
#include "language/liquid/template.h"
#include "model/ids.h"

namespace catalog {

enum class Again : uint8_t { kOnce, kEveryTime, kOncePerKey };

struct Letter {
    std::string subject_text;
    std::optional<liquid::Template> subject;
    std::optional<liquid::Template> text;
    std::optional<liquid::Template> html;
    std::string from;      // Empty: the workspace's sender.
    std::string reply_to;
};

struct Instruction {
    enum class Kind : uint8_t { kWait, kBranch, kJump, kLetter, kExit };
    Kind kind = Kind::kExit;
    std::string step;              // Id of the step it came from.
    base::DurationMs wait_ms = 0;
    std::optional<evaluate::Program> condition;  // kBranch: holds -> next, else -> target.
    uint32_t target = 0;
    std::shared_ptr<const Letter> letter;
};

struct Journey {
    model::WorkspaceId workspace = 0;
    uint32_t number = 0;
    uint32_t version = 0;
    std::string name;
    // Entry: an event, or a segment entered or left.
    std::string entry_event;
    uint64_t entry_hash = 0;
    std::optional<condition::Filter> entry_where;
    uint32_t entry_segment = 0;
    bool entry_on_leave = false;
    std::string key;               // Property whose value is the key; empty: none.
    Again again = Again::kOnce;
    std::optional<evaluate::Program> goal;
    std::optional<evaluate::Program> exit;
    std::vector<Instruction> program;
    std::vector<evaluate::LeafPtr> leaves;              // All, each once.
    std::vector<evaluate::LeafPtr> since_entry_leaves;  // Of those, the entry's own.
};

using JourneyPtr = std::shared_ptr<const Journey>;

// Reads and compiles the body. Unknown fields are refused with their path.
// Errors: kInvalidArgument with `at` = path into the JSON ("steps[1].for").
base::Result<std::shared_ptr<const Journey>> CompileJourney(
    std::string_view body, const evaluate::LeafSource& leaves,
    const evaluate::SegmentSource& segments);

}  // namespace catalog
