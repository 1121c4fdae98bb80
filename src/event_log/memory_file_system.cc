#include "event_log/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "base/hash.h"

namespace event_log {

namespace {

constexpr size_t kSector = MemoryFileSystem::kSectorBytes;

// What a file holds: as readers see it, as the disk has it, and which sectors differ and will be
// written by the next sync.
struct Node {
    std::string now;
    std::string durable;
    std::set<uint64_t> unsynced;  // Sector numbers.
    bool size_unsynced = false;
};

using Names = std::map<std::string, std::shared_ptr<Node>>;

struct NameChange {
    std::string directory;
    std::string from;  // Renamed or removed; empty: made.
    std::string to;    // Made, or the new name; empty: removed.
    std::shared_ptr<Node> node;
};

std::string DirectoryOf(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string(".") : path.substr(0, slash);
}

void Apply(const NameChange& change, Names& names) {
    if (!change.from.empty()) names.erase(change.from);
    if (!change.to.empty()) names[change.to] = change.node;
}

// A stream of chances that is the same for the same seed.
class Chance {
  public:
    explicit Chance(uint64_t seed) : state_(seed) {}
    uint64_t Below(uint64_t n) { return base::Mix64(state_ += 0x9e3779b97f4a7c15ULL) % n; }

  private:
    uint64_t state_;
};

void CopySector(const std::string& from, std::string& to, uint64_t sector) {
    const size_t begin = sector * kSector;
    if (begin >= from.size()) return;
    const size_t end = std::min(from.size(), begin + kSector);
    if (to.size() < end) to.resize(end, '\0');
    std::memcpy(to.data() + begin, from.data() + begin, end - begin);
}

}  // namespace

struct MemoryFileSystem::Disk {
    mutable std::mutex mutex;
    Names now;
    Names durable;
    std::vector<NameChange> changes;  // Of `now` against `durable`, in order.
    std::set<std::string> locks;
    uint64_t capacity = UINT64_MAX;
    uint64_t life = 0;       // Raised by a crash; files of an earlier life are dead.
    uint64_t calls = 0;
    uint64_t fail_at = 0;

    // Counts a call that can fail; true when this one does. With the mutex held.
    bool Fails() { return ++calls == fail_at; }

    uint64_t Used() const {
        uint64_t used = 0;
        for (const auto& [path, node] : now) used += node->now.size();
        return used;
    }

    bool Fits(const Node& node, uint64_t size) const {
        if (size <= node.now.size()) return true;
        return Used() + (size - node.now.size()) <= capacity;
    }
};

namespace {

using Disk = MemoryFileSystem::Disk;

tl::unexpected<base::Error> FailIo(const std::string& path, const char* why) {
    return base::Fail(base::ErrorCode::kIo, path + ": " + why);
}

class MemoryFile final : public File {
  public:
    MemoryFile(std::shared_ptr<Disk> disk, std::shared_ptr<Node> node, std::string path,
               bool writable)
        : disk_(std::move(disk)), node_(std::move(node)), path_(std::move(path)),
          life_(disk_->life), writable_(writable) {}

    base::Result<size_t> ReadAt(uint64_t at, char* out, size_t size) const override {
        const std::lock_guard lock(disk_->mutex);
        TRY(Alive());
        if (at >= node_->now.size()) return size_t{0};
        const size_t n = std::min<size_t>(size, node_->now.size() - at);
        std::memcpy(out, node_->now.data() + at, n);
        return n;
    }

    base::Status WriteAt(uint64_t at, std::string_view bytes) override {
        const std::lock_guard lock(disk_->mutex);
        TRY(Alive());
        if (!writable_) return FailIo(path_, "not open for writing");
        if (disk_->Fails()) return FailIo(path_, "write failed as told");
        TRY(Grow(at + bytes.size()));
        if (bytes.empty()) return {};
        std::memcpy(node_->now.data() + at, bytes.data(), bytes.size());
        for (uint64_t s = at / kSector; s <= (at + bytes.size() - 1) / kSector; ++s) {
            node_->unsynced.insert(s);
        }
        return {};
    }

    base::Status SyncData() override {
        const std::lock_guard lock(disk_->mutex);
        TRY(Alive());
        const bool fails = disk_->Fails();
        if (!fails) {
            if (node_->size_unsynced) node_->durable.resize(node_->now.size(), '\0');
            for (const uint64_t s : node_->unsynced) CopySector(node_->now, node_->durable, s);
        }
        node_->unsynced.clear();
        node_->size_unsynced = false;
        if (fails) return FailIo(path_, "sync failed as told");
        return {};
    }

    base::Status Allocate(uint64_t size) override {
        const std::lock_guard lock(disk_->mutex);
        TRY(Alive());
        if (disk_->Fails()) return FailIo(path_, "allocate failed as told");
        return Grow(size);
    }

    base::Status WriteZeros(uint64_t size) override {
        TRY(WriteAt(0, std::string(size, '\0')));
        return SyncData();
    }

    base::Result<uint64_t> Size() const override {
        const std::lock_guard lock(disk_->mutex);
        TRY(Alive());
        return node_->now.size();
    }

  private:
    base::Status Alive() const {
        if (life_ != disk_->life) return FailIo(path_, "the power went");
        return {};
    }
    base::Status Grow(uint64_t size) {
        if (size <= node_->now.size()) return {};
        if (!disk_->Fits(*node_, size)) {
            return base::Fail(base::ErrorCode::kDiskFull, path_ + ": no space left");
        }
        node_->now.resize(size, '\0');
        node_->size_unsynced = true;
        return {};
    }

    std::shared_ptr<Disk> disk_;
    std::shared_ptr<Node> node_;
    std::string path_;
    uint64_t life_;
    bool writable_;
};

class MemoryLock final : public FileLock {
  public:
    MemoryLock(std::shared_ptr<Disk> disk, std::string path)
        : disk_(std::move(disk)), path_(std::move(path)), life_(disk_->life) {}
    ~MemoryLock() override {
        const std::lock_guard lock(disk_->mutex);
        if (life_ == disk_->life) disk_->locks.erase(path_);
    }
    MemoryLock(const MemoryLock&) = delete;
    MemoryLock& operator=(const MemoryLock&) = delete;

  private:
    std::shared_ptr<Disk> disk_;
    std::string path_;
    uint64_t life_;
};

}  // namespace

MemoryFileSystem::MemoryFileSystem(uint64_t capacity_bytes) : disk_(std::make_shared<Disk>()) {
    disk_->capacity = capacity_bytes;
}

MemoryFileSystem::~MemoryFileSystem() = default;

base::Result<std::unique_ptr<File>> MemoryFileSystem::Open(const std::string& path,
                                                           OpenMode mode) {
    const std::lock_guard lock(disk_->mutex);
    auto found = disk_->now.find(path);
    if (mode == OpenMode::kCreate) {
        // A fresh node also for an old name: emptying is as durable as making.
        const NameChange change{DirectoryOf(path), {}, path, std::make_shared<Node>()};
        Apply(change, disk_->now);
        disk_->changes.push_back(change);
        found = disk_->now.find(path);
    }
    if (found == disk_->now.end()) {
        return base::Fail(base::ErrorCode::kNotFound, path + ": no such file");
    }
    return std::make_unique<MemoryFile>(disk_, found->second, path, mode != OpenMode::kRead);
}

base::Status MemoryFileSystem::Rename(const std::string& from, const std::string& to) {
    const std::lock_guard lock(disk_->mutex);
    const auto found = disk_->now.find(from);
    if (found == disk_->now.end()) {
        return base::Fail(base::ErrorCode::kNotFound, from + ": no such file");
    }
    const NameChange change{DirectoryOf(to), from, to, found->second};
    Apply(change, disk_->now);
    disk_->changes.push_back(change);
    return {};
}

base::Status MemoryFileSystem::Remove(const std::string& path) {
    const std::lock_guard lock(disk_->mutex);
    if (!disk_->now.contains(path)) {
        return base::Fail(base::ErrorCode::kNotFound, path + ": no such file");
    }
    const NameChange change{DirectoryOf(path), path, {}, nullptr};
    Apply(change, disk_->now);
    disk_->changes.push_back(change);
    return {};
}

base::Result<std::vector<std::string>> MemoryFileSystem::List(const std::string& directory) {
    const std::lock_guard lock(disk_->mutex);
    std::vector<std::string> names;
    for (const auto& [path, node] : disk_->now) {
        if (DirectoryOf(path) == directory) names.push_back(path.substr(directory.size() + 1));
    }
    return names;
}

base::Status MemoryFileSystem::CreateDirectory(const std::string&) { return {}; }

base::Status MemoryFileSystem::SyncDirectory(const std::string& directory) {
    const std::lock_guard lock(disk_->mutex);
    if (disk_->Fails()) return FailIo(directory, "sync failed as told");
    std::vector<NameChange> others;
    for (NameChange& change : disk_->changes) {
        if (change.directory == directory) {
            Apply(change, disk_->durable);
        } else {
            others.push_back(std::move(change));
        }
    }
    disk_->changes = std::move(others);
    return {};
}

base::Result<uint64_t> MemoryFileSystem::FreeBytes(const std::string&) {
    const std::lock_guard lock(disk_->mutex);
    const uint64_t used = disk_->Used();
    return used >= disk_->capacity ? 0 : disk_->capacity - used;
}

base::Result<std::unique_ptr<FileLock>> MemoryFileSystem::Lock(const std::string& path) {
    const std::lock_guard lock(disk_->mutex);
    if (!disk_->locks.insert(path).second) {
        return base::Fail(base::ErrorCode::kConflict, path + " is locked by another process");
    }
    return std::make_unique<MemoryLock>(disk_, path);
}

void MemoryFileSystem::Crash(uint64_t seed) {
    const std::lock_guard lock(disk_->mutex);
    Chance chance(seed);
    const size_t kept = chance.Below(disk_->changes.size() + 1);
    for (size_t i = 0; i < kept; ++i) Apply(disk_->changes[i], disk_->durable);
    disk_->changes.clear();
    std::set<Node*> done;
    for (const auto& [path, node] : disk_->durable) {
        if (!done.insert(node.get()).second) continue;
        if (node->size_unsynced && chance.Below(2) == 0) {
            node->durable.resize(node->now.size(), '\0');
        }
        // Some crashes keep nearly all, some nearly nothing, most something between.
        const uint64_t keep_of_8 = chance.Below(9);
        for (const uint64_t s : node->unsynced) {
            if (chance.Below(8) < keep_of_8) CopySector(node->now, node->durable, s);
        }
        node->now = node->durable;
        node->unsynced.clear();
        node->size_unsynced = false;
    }
    disk_->now = disk_->durable;
    disk_->locks.clear();
    disk_->life++;
    disk_->fail_at = 0;
    disk_->calls = 0;
}

void MemoryFileSystem::FailCall(uint64_t n) {
    const std::lock_guard lock(disk_->mutex);
    disk_->fail_at = n;
    disk_->calls = 0;
}

uint64_t MemoryFileSystem::Calls() const {
    const std::lock_guard lock(disk_->mutex);
    return disk_->calls;
}

void MemoryFileSystem::SetCapacity(uint64_t bytes) {
    const std::lock_guard lock(disk_->mutex);
    disk_->capacity = bytes;
}

uint64_t MemoryFileSystem::UsedBytes() const {
    const std::lock_guard lock(disk_->mutex);
    return disk_->Used();
}

bool MemoryFileSystem::FlipBit(const std::string& path, uint64_t byte, int bit) {
    const std::lock_guard lock(disk_->mutex);
    const auto found = disk_->now.find(path);
    if (found == disk_->now.end() || byte >= found->second->now.size()) return false;
    const auto mask = static_cast<char>(1 << bit);
    Node& node = *found->second;
    node.now[byte] = static_cast<char>(node.now[byte] ^ mask);
    if (byte < node.durable.size()) node.durable[byte] = node.now[byte];
    return true;
}

std::string MemoryFileSystem::Contents(const std::string& path) const {
    const std::lock_guard lock(disk_->mutex);
    const auto found = disk_->now.find(path);
    return found == disk_->now.end() ? std::string() : found->second->now;
}

void MemoryFileSystem::Put(const std::string& path, std::string contents) {
    const std::lock_guard lock(disk_->mutex);
    const auto node = std::make_shared<Node>();
    node->now = contents;
    node->durable = std::move(contents);
    disk_->now[path] = node;
    disk_->durable[path] = node;
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::Copy() const {
    auto copy = std::make_unique<MemoryFileSystem>();
    const std::lock_guard lock(disk_->mutex);
    copy->disk_->capacity = disk_->capacity;
    for (const auto& [path, node] : disk_->now) {
        const auto twin = std::make_shared<Node>();
        twin->now = node->now;
        twin->durable = node->now;
        copy->disk_->now[path] = twin;
        copy->disk_->durable[path] = twin;
    }
    return copy;
}

}  // namespace event_log
