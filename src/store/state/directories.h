// The directories of a state store: names, complete checkpoints, and the moves that survive a
// crash at any point. Knows nothing of what is inside a checkpoint but that files ending in .sst
// never change.
//
// Threads: one at a time for a directory.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/ids.h"

namespace state {

struct CheckpointName {
    model::Offset offset = 0;
    uint32_t behaviour = 0;
    auto operator<=>(const CheckpointName&) const = default;
};

// "checkpoint-<offset>-<behaviour>", decimal without leading zeros; anything else does not parse.
std::string ToText(const CheckpointName& name);
bool FromText(std::string_view text, CheckpointName& name);

// Makes the directory and its parents. Errors: kIo, kDiskFull.
base::Status MakeDirectory(const std::string& path);
// Complete checkpoints, newest first (by offset, then behaviour). Errors: kIo.
base::Result<std::vector<CheckpointName>> ListCheckpoints(const std::string& directory);
// Removes every entry that begins with `prefix`; nothing there is success. Errors: kIo.
base::Status RemoveBeginning(const std::string& directory, const std::string& prefix);
// Fills a new directory `to` with the files of `from`: .sst by hard link, others copied. Not
// synced: a working directory is thrown away at a start. Errors: kIo, kDiskFull.
base::Status LinkFiles(const std::string& from, const std::string& to);
// Syncs the directory `made` and its files (but .sst, which RocksDB synced), gives it the name
// `final_name` beside it, in exchange if that exists, and syncs `directory`.
// Errors: kIo, kDiskFull.
base::Status Complete(const std::string& directory, const std::string& made_name,
                      const std::string& final_name);
// Renames within the directory and syncs it. Errors: kIo.
base::Status Rename(const std::string& directory, const std::string& from, const std::string& to);

}  // namespace state
