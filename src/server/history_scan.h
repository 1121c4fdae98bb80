// Conditions over the recorded past: the log read again, with the evaluator of the live fold
// (architecture, idea 3). Previews ask who holds at a moment; back-fill asks what new leaves would
// remember up to a marker. docs/decisions/0020-history-from-the-log.md tells why it is the log.
//
// Threads: each call runs on the caller's thread and may take seconds; partitions are read by
// `threads` threads.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "event_log/event_log.h"
#include "language/evaluate/program.h"
#include "model/person.h"

namespace server {

// What the leaves remember of each person in one partition up to `upto`, keyed by the person as the
// records of that partition name her. Only persons of whom something is remembered.
struct Remembered {
    model::PersonId person;
    model::Accumulators accumulators;
};
base::Result<std::vector<Remembered>> ScanLeaves(event_log::Log& log,
                                                 model::WorkspaceId workspace,
                                                 model::StreamId partition, model::Offset upto,
                                                 const std::vector<evaluate::LeafPtr>& leaves);
// The same of several partitions at once, which costs little more than of one: their records lie
// side by side in the log.
struct LeafScan {
    model::StreamId partition = 0;
    model::Offset upto = 0;
    std::vector<evaluate::LeafPtr> leaves;
    std::vector<Remembered> remembered;   // Filled.
};
base::Status ScanLeaves(event_log::Log& log, model::WorkspaceId workspace,
                        std::vector<LeafScan>& wanted, int threads);


struct PreviewResult {
    std::vector<model::PersonId> persons;   // Who holds, by id.
    uint64_t events = 0;                    // Records read.
};
// `as_of`: records up to this log time; windows are judged at it.
base::Result<PreviewResult> ScanProgram(event_log::Log& log, const catalog::Catalog& catalog,
                                        model::WorkspaceId workspace,
                                        const evaluate::Program& program, base::TimeMs as_of,
                                        int threads);

}  // namespace server
