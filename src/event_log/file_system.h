// The few calls by which the log touches a disk, so that a simulated disk can stand in
// (event_log/memory_file_system.h): one that forgets what was not synced, fails or is full.
//
// Errors of all calls, by errno:
//   kNotFound   ENOENT            kDiskFull  ENOSPC, EDQUOT
//   kConflict   a lock is held    kIo        everything else; the text names call, path and errno
//
// Threads: every function may be called from any thread. Writes to the same bytes of a file at
// the same time are the caller's affair.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace event_log {

class File {
  public:
    virtual ~File() = default;

    // Reads up to `size` bytes at `at`; fewer only at the file's end.
    virtual base::Result<size_t> ReadAt(uint64_t at, char* out, size_t size) const = 0;
    // Writes all of `bytes` at `at`, growing the file when needed. Not durable before SyncData.
    virtual base::Status WriteAt(uint64_t at, std::string_view bytes) = 0;
    // Makes all writes to this file that returned before durable, with the size needed to read
    // them. After an error nothing is known about them, and calling again proves nothing.
    virtual base::Status SyncData() = 0;
    // Reserves blocks for [0, size) and makes the file at least that long.
    virtual base::Status Allocate(uint64_t size) = 0;
    // Makes the file `size` bytes of zeros, durable when it returns; what was in it is gone.
    // May go past the page cache: the next to touch these bytes is a commit, much later.
    virtual base::Status WriteZeros(uint64_t size) = 0;
    virtual base::Result<uint64_t> Size() const = 0;
};

// Held as long as it lives.
class FileLock {
  public:
    virtual ~FileLock() = default;
};

enum class OpenMode { kRead, kReadWrite, kCreate /* read and write; made empty or emptied */ };

class FileSystem {
  public:
    virtual ~FileSystem() = default;

    virtual base::Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
    // Replaces `to`. Like Remove and making a file: durable after SyncDirectory.
    virtual base::Status Rename(const std::string& from, const std::string& to) = 0;
    virtual base::Status Remove(const std::string& path) = 0;
    // Names of the files in a directory, sorted; sub-directories are left out.
    virtual base::Result<std::vector<std::string>> List(const std::string& directory) = 0;
    // With its parents; fine when it is there already. Durable when it returns.
    virtual base::Status CreateDirectory(const std::string& directory) = 0;
    virtual base::Status SyncDirectory(const std::string& directory) = 0;
    // Bytes that may still be allocated.
    virtual base::Result<uint64_t> FreeBytes(const std::string& directory) = 0;
    // Makes the file when needed and locks it against every other process and Lock call.
    // Errors: kConflict  somebody holds it.
    virtual base::Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// The operating system's files. Lives for ever.
FileSystem* PosixFileSystem();

// Reads a whole file of at most `size_max` bytes. Errors besides: kTooLarge.
base::Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path,
                                        uint64_t size_max);

}  // namespace event_log
