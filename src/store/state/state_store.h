// The state of one stream on disk: a RocksDB directory that is written by checkpoints only
// (semantics 3). docs/formats/state.md has the layout.
//
//   <directory>/working/            the open database; thrown away at a start
//   <directory>/checkpoint-<offset>-<behaviour>/   complete checkpoints; two are kept
//
// A start opens the newest complete checkpoint (hard links into a fresh working directory), never
// the working directory itself. A checkpoint is complete when its directory has its final name: it
// is made under a temporary name, synced, renamed, and the parent synced.
//
// Threads: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/ids.h"

namespace state {

// Raised by any change of the fold's meaning (semantics 5).
inline constexpr uint32_t kBehaviour = 1;

class Store {
  public:
    // Opens the newest complete checkpoint, or begins empty.
    // Errors: kIo, kCorrupt.
    static base::Result<std::unique_ptr<Store>> Open(const std::string& directory);
    virtual ~Store() = default;

    // Of the checkpoint that was opened; 0: there was none.
    virtual model::Offset offset() const = 0;
    virtual uint32_t behaviour() const = 0;
    // Visits every entry of it. False from the visitor: stop with kCorrupt.
    virtual base::Status ForEach(
        const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;

    // Collects entries for the next checkpoint (any size; written in slices, no WAL).
    virtual base::Status Put(std::string_view key, std::string_view value) = 0;
    // Makes what was Put a durable checkpoint named by `offset`, deletes all but the newest two.
    virtual base::Status Commit(model::Offset offset) = 0;
};

}  // namespace state
