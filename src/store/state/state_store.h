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
// All stores of a process share one block cache, one bound on write buffers and RocksDB's threads,
// so that an idle store costs about a megabyte.
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
    // Opens the newest complete checkpoint, or begins empty. One that is damaged is set aside when
    // an older one opens, and warning() says so; the log then covers the difference.
    // Errors: kIo; kCorrupt: there are checkpoints and none opens (nothing is changed then);
    // the internal text names them.
    static base::Result<std::unique_ptr<Store>> Open(const std::string& directory);
    virtual ~Store() = default;

    // Of the checkpoint that was opened; 0: there was none.
    virtual model::Offset offset() const = 0;
    virtual uint32_t behaviour() const = 0;
    // What an administrator should know about the opening; empty: nothing.
    virtual std::string warning() const { return {}; }
    // Visits every entry of it, in key order; to be called before the first Put. False from the
    // visitor: stop with kCorrupt. Damage found on the way is kCorrupt too; the checkpoint is set
    // aside when an older one is there, so that the next start opens that.
    virtual base::Status ForEach(
        const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;

    // Collects entries for the next checkpoint (any size; written in slices, no WAL); an entry
    // replaces the one with the same key. After an error every further call fails with it.
    virtual base::Status Put(std::string_view key, std::string_view value) = 0;
    // The entry is in no later checkpoint, nor are its bytes: the next Commit rewrites all entries.
    // One that is not there is nothing.
    virtual base::Status Remove(std::string_view key) = 0;
    // Makes the opened checkpoint with what was Put and Removed since a durable checkpoint named by
    // `offset`, deletes all but the newest two. An offset that has one already is replaced.
    // Errors: kIo, kDiskFull.
    virtual base::Status Commit(model::Offset offset) = 0;
};

}  // namespace state
