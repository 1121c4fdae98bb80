// A disk in memory that does what disks may do: forgets unsynced writes when the power goes,
// tears them at sectors, fails, is full. For tests and the simulator.
//
// Model: a write changes what readers see at once and marks its 512-byte sectors unsynced;
// SyncData makes them durable. Making, renaming and removing files is durable after SyncDirectory.
// Crash(seed): of each file any subset of the unsynced sectors survives, each sector whole or not
// at all; of the unsynced directory changes a prefix survives (a journal keeps their order).
// A SyncData that fails drops its sectors as Linux does: they stay visible, and no later sync
// makes them durable.
//
// Threads: any. Files that are open when Crash is called answer kIo from then on: a process that
// lost its power does not write.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "event_log/file_system.h"

namespace event_log {

class MemoryFileSystem final : public FileSystem {
  public:
    static constexpr size_t kSectorBytes = 512;

    // `capacity_bytes`: what all files together may hold; more gives kDiskFull.
    explicit MemoryFileSystem(uint64_t capacity_bytes = UINT64_MAX);
    ~MemoryFileSystem() override;

    base::Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
    base::Status Rename(const std::string& from, const std::string& to) override;
    base::Status Remove(const std::string& path) override;
    base::Result<std::vector<std::string>> List(const std::string& directory) override;
    base::Status CreateDirectory(const std::string& directory) override;
    base::Status SyncDirectory(const std::string& directory) override;
    base::Result<uint64_t> FreeBytes(const std::string& directory) override;
    base::Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

    // The power goes and comes back. Locks are gone, open files are dead, faults are cleared.
    void Crash(uint64_t seed);

    // The n-th call from now (1: the next) of WriteAt, SyncData, Allocate or SyncDirectory fails
    // with kIo; every later one works again, as real disks do. 0: none.
    void FailCall(uint64_t n);
    // How many such calls there were since the last FailCall or Crash.
    uint64_t Calls() const;

    void SetCapacity(uint64_t bytes);
    uint64_t UsedBytes() const;

    // For tests of rot: changes what is stored, durable and visible. False: no such byte.
    bool FlipBit(const std::string& path, uint64_t byte, int bit);
    // A file as readers see it now; empty when there is none.
    std::string Contents(const std::string& path) const;
    // Replaces or makes a file, durable at once.
    void Put(const std::string& path, std::string contents);
    // Everything as readers see it now, durable at once: what a copy of a live directory holds.
    std::unique_ptr<MemoryFileSystem> Copy() const;

    struct Disk;  // The state that files, locks and this share.

  private:
    std::shared_ptr<Disk> disk_;
};

}  // namespace event_log
