// Questions of the API, answered from the folds and the warehouse. Each answer is the JSON body
// that the API sends (openapi.yaml); errors carry their own code.
//
// Questions about one person go to the thread that owns her; lists are asked of every partition
// in slices between records, so that they never hold up the fold, and merged (semantics 21).
// server/queries.cc is the implementation.
//
// Threads: every function from any thread, none of them blocks; `answer` is called once, on any
// thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "language/condition/expression.h"
#include "model/ids.h"

namespace api {

using Answer = std::function<void(base::Result<std::string>)>;

// What happened in a journey since it was first published, over all its versions.
struct JourneyNumbers {
    int64_t in_it = 0;     // Entries that are open now.
    int64_t sent = 0;      // Letters.
    int64_t goal = 0;      // Entries that ended because the goal was reached.
};
using JourneyAnswer = std::function<void(base::Result<std::map<uint32_t, JourneyNumbers>>)>;

struct Page {
    int limit = limits::kPageLimitDefault;   // 1..kPageLimitMax.
    std::string cursor;                      // next_cursor of the page before; empty: the first.
};

enum class PersonSort : uint8_t { kLastSeen, kFirstSeen, kName, kEmail };

class Queries {
  public:
    virtual ~Queries() = default;

    // {id, user_ids, emails, ...}; a merged person's id answers with the person she became.
    virtual void Person(model::WorkspaceId workspace, const model::PersonId& id,
                        Answer answer) = 0;
    // The same, by an id in clear.
    virtual void Lookup(model::WorkspaceId workspace, model::IdKind kind, const std::string& text,
                        Answer answer) = 0;
    // {persons: [card...], next_cursor, total}. `condition` null: everybody.
    virtual void Persons(model::WorkspaceId workspace, condition::ExpressionPtr condition,
                         PersonSort sort, bool descending, Page page, Answer answer) = 0;
    // {events: [{id, time, name, kind, properties, source}], next_cursor}, newest first: rows of
    // the warehouse joined with those still in the spool.
    virtual void Timeline(model::WorkspaceId workspace, const model::PersonId& id, Page page,
                          Answer answer) = 0;
    // {id, name, condition, version, created, state: "ready" | "counting", progress, count}. The
    // API adds "condition_tree" as the last field.
    virtual void Segment(model::WorkspaceId workspace, uint32_t number, Answer answer) = 0;
    // {persons: [card...], next_cursor, total}, in order of person id.
    virtual void SegmentPersons(model::WorkspaceId workspace, uint32_t number, Page page,
                                Answer answer) = 0;
    // {count, sample: [card...], took_ms} by the evaluator over the whole history. `as_of` 0: now.
    virtual void Preview(model::WorkspaceId workspace, condition::ExpressionPtr condition,
                         base::TimeMs as_of, Answer answer) = 0;
    // {messages: [...], next_cursor}, newest first. `journey` 0: of all journeys.
    virtual void Messages(model::WorkspaceId workspace, std::optional<model::PersonId> person,
                          uint32_t journey, Page page, Answer answer) = 0;
    // What Home shows (openapi.yaml): numbers that the folds keep, equal to a recount.
    virtual void Home(model::WorkspaceId workspace, Answer answer) = 0;
    // What a builder offers: {events: [{name, count}], attributes: [{name, type}], properties:
    // [{event, name, type}]}.
    virtual void Names(model::WorkspaceId, Answer answer) {
        answer(base::Fail(base::ErrorCode::kUnavailable, "not asked"));
    }
    // {events: [{id, time, received, name, type, person_id, ...}]}, the one received last first;
    // only what is durable and folded.
    virtual void RecentEvents(model::WorkspaceId workspace, int limit, Answer answer) = 0;
    // By journey; those nobody ever entered may be missing.
    virtual void NumbersOfJourneys(model::WorkspaceId workspace, JourneyAnswer answer) = 0;
};

}  // namespace api
