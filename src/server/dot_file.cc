#include "server/dot_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/limits.h"

namespace server {

namespace {

constexpr std::string_view kMagic = "RIPENDOT";
constexpr uint8_t kVersion = 1;
constexpr size_t kBlockBytes = 64;
constexpr size_t kCrcAt = 60;
constexpr size_t kBootIdAt = 12;
constexpr size_t kBootIdBytesMax = 48;

tl::unexpected<base::Error> Failed(const std::string& what, const std::string& path, int error) {
    return base::Fail(error == ENOSPC || error == EDQUOT ? base::ErrorCode::kDiskFull
                                                         : base::ErrorCode::kIo,
                      "dots: " + what + " " + path + ": " + std::strerror(error));
}

std::string Seal(std::string block) {
    block.resize(kCrcAt, '\0');
    const uint32_t crc = base::Crc32c(0, block.data(), block.size());
    base::ByteWriter(block).U32(crc);
    return block;
}

bool IsSealed(std::string_view block) {
    uint32_t crc = 0;
    std::memcpy(&crc, block.data() + kCrcAt, sizeof crc);
    return crc == base::Crc32c(0, block.data(), kCrcAt);
}

std::string Header(const std::string& boot_id, bool doubt) {
    std::string block(kMagic);
    base::ByteWriter w(block);
    w.U8(kVersion);
    w.U8(doubt ? 1 : 0);
    block.resize(kBootIdAt, '\0');
    block.append(boot_id.substr(0, kBootIdBytesMax));
    return Seal(std::move(block));
}

bool WriteAt(int fd, std::string_view bytes, size_t at) {
    while (!bytes.empty()) {
        const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(n));
        at += static_cast<size_t>(n);
    }
    return true;
}

// A new file under a temporary name first: a process that dies here leaves what was.
base::Status Make(const std::string& path, const std::string& boot_id) {
    const std::string made = path + ".tmp";
    const int fd = ::open(made.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return Failed("make", made, errno);
    std::string bytes = Header(boot_id, /*doubt=*/true);
    bytes.resize(kBlockBytes * (1 + limits::kDotSlots), '\0');
    const bool written = WriteAt(fd, bytes, 0);
    const int error = errno;
    ::close(fd);
    if (!written) return Failed("write", made, error);
    if (::rename(made.c_str(), path.c_str()) != 0) return Failed("rename", made, errno);
    return {};
}

}  // namespace

base::Result<std::string> MachineBootId() {
    std::ifstream in("/proc/sys/kernel/random/boot_id");
    std::string id;
    if (!(in >> id) || id.empty()) {
        return base::Fail(base::ErrorCode::kIo, "dots: the kernel gives no boot id");
    }
    return id;
}

base::Result<std::unique_ptr<DotFile>> DotFile::Open(const std::string& directory,
                                                     const std::string& boot_id) {
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    if (failed) return Failed("make", directory, failed.value());
    const std::string path = directory + "/dots";
    std::string bytes;
    if (std::ifstream in(path, std::ios::binary); in) {
        bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    bool known = bytes.size() == kBlockBytes * (1 + limits::kDotSlots) &&
                 bytes.starts_with(kMagic) && IsSealed(bytes);
    if (known && static_cast<uint8_t>(bytes[8]) > kVersion) {
        return base::Fail(base::ErrorCode::kCorrupt,
                          "dots: " + path + " is of version " +
                              std::to_string(static_cast<uint8_t>(bytes[8])) +
                              ", this program knows " + std::to_string(kVersion));
    }
    const std::string same = Header(boot_id, false);
    known = known && bytes.compare(kBootIdAt, kBootIdBytesMax, same, kBootIdAt,
                                   kBootIdBytesMax) == 0;
    for (size_t n = 1; known && n <= limits::kDotSlots; ++n) {
        const std::string_view block(bytes.data() + n * kBlockBytes, kBlockBytes);
        known = block.find_first_not_of('\0') == std::string_view::npos || IsSealed(block);
    }
    if (!known) {
        TRY(Make(path, boot_id));
        bytes.clear();
    }
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return Failed("open", path, errno);
    std::unique_ptr<DotFile> file(new DotFile(fd, boot_id, !known || bytes[9] != 0));
    file->Load(bytes);
    return file;
}

DotFile::~DotFile() { ::close(fd_); }

void DotFile::Load(const std::string& bytes) {
    slots_.resize(limits::kDotSlots);
    for (size_t n = 0; n < slots_.size(); ++n) {
        Slot& slot = slots_[n];
        if (!bytes.empty()) {
            base::ByteReader r(std::string_view(bytes).substr((n + 1) * kBlockBytes, kBlockBytes));
            slot.state = static_cast<State>(r.U8());
            r.U8();
            slot.message.stream = r.U16();
            slot.message.ordinal = r.U32();
            slot.message.offset = r.U64();
            slot.attempt = r.U32();
        }
        if (slot.state == State::kFree) {
            free_.push_back(n);
            continue;
        }
        by_message_[slot.message] = n;
        slot.used = next_use_++;
        reusable_[slot.used] = n;
    }
}

Fate DotFile::Find(const model::FactKey& message, uint32_t attempt) const {
    std::lock_guard lock(mutex_);
    const auto found = by_message_.find(message);
    if (found != by_message_.end() && slots_[found->second].attempt >= attempt) {
        return slots_[found->second].state == State::kSettled ? Fate::kSettled : Fate::kUnknown;
    }
    return doubt_ ? Fate::kUnknown : Fate::kNotSent;
}

base::Status DotFile::ClearDoubt() {
    if (!WriteAt(fd_, Header(boot_id_, false), 0)) return Failed("write", "header", errno);
    return {};
}

bool DotFile::Put(const model::FactKey& message, uint32_t attempt, State state) {
    std::lock_guard lock(mutex_);
    size_t n = 0;
    if (const auto found = by_message_.find(message); found != by_message_.end()) {
        n = found->second;
        reusable_.erase(slots_[n].used);
    } else if (!free_.empty()) {
        n = free_.back();
        free_.pop_back();
    } else if (!reusable_.empty()) {
        n = reusable_.begin()->second;
        reusable_.erase(reusable_.begin());
        by_message_.erase(slots_[n].message);
    } else {
        return false;
    }
    Slot& slot = slots_[n];
    slot = {state, attempt, message, next_use_++};
    by_message_[message] = n;
    if (state == State::kSettled) reusable_[slot.used] = n;
    std::string block;
    base::ByteWriter w(block);
    w.U8(static_cast<uint8_t>(state));
    w.U8(0);
    w.U16(message.stream);
    w.U32(message.ordinal);
    w.U64(message.offset);
    w.U32(attempt);
    return WriteAt(fd_, Seal(std::move(block)), (n + 1) * kBlockBytes);
}

bool DotFile::Mark(const model::FactKey& message, uint32_t attempt) {
    return Put(message, attempt, State::kMarked);
}

void DotFile::Settle(const model::FactKey& message, uint32_t attempt) {
    // A slot that cannot be written stays marked: at worst the message is called ambiguous.
    (void)Put(message, attempt, State::kSettled);
}

}  // namespace server
