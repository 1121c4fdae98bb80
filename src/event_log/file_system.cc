#include "event_log/file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace event_log {

namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kZeroBytes = 1024 * 1024;          // Written at once.
constexpr size_t kZeroSyncBytes = 8 * 1024 * 1024;  // Between syncs.

tl::unexpected<base::Error> FailErrno(std::string_view call, const std::string& path, int error) {
    base::ErrorCode code = base::ErrorCode::kIo;
    if (error == ENOENT) code = base::ErrorCode::kNotFound;
    if (error == ENOSPC || error == EDQUOT) code = base::ErrorCode::kDiskFull;
    std::string text(call);
    text += ' ' + path + ": " + std::system_category().message(error) + " (errno " +
            std::to_string(error) + ')';
    return base::Fail(code, std::move(text));
}

class PosixFile final : public File {
  public:
    PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    ~PosixFile() override { ::close(fd_); }
    PosixFile(const PosixFile&) = delete;
    PosixFile& operator=(const PosixFile&) = delete;

    base::Result<size_t> ReadAt(uint64_t at, char* out, size_t size) const override {
        size_t done = 0;
        while (done < size) {
            const ssize_t n = ::pread(fd_, out + done, size - done, static_cast<off_t>(at + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return FailErrno("pread", path_, errno);
            if (n == 0) break;
            done += static_cast<size_t>(n);
        }
        return done;
    }

    base::Status WriteAt(uint64_t at, std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return FailErrno("pwrite", path_, errno);
            // A short write is gone on with: the rest fails with the reason, if there is one.
            at += static_cast<uint64_t>(n);
            bytes.remove_prefix(static_cast<size_t>(n));
        }
        return {};
    }

    base::Status SyncData() override {
        if (::fdatasync(fd_) != 0) return FailErrno("fdatasync", path_, errno);
        return {};
    }

    base::Status Allocate(uint64_t size) override {
        const int error = ::posix_fallocate(fd_, 0, static_cast<off_t>(size));
        if (error != 0) return FailErrno("fallocate", path_, error);
        return {};
    }

    base::Status WriteZeros(uint64_t size) override {
        TRY(Allocate(size));
        // A description of its own for O_DIRECT: four times faster at a fifth of the processor
        // time, and commits do not wait behind dirty pages. Not every file system has it.
        const std::string self = "/proc/self/fd/" + std::to_string(fd_);
        const int direct = ::open(self.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
        base::Status status = WriteZerosTo(direct >= 0 ? direct : fd_, size);
        if (direct >= 0) ::close(direct);
        return status;
    }

    base::Result<uint64_t> Size() const override {
        struct stat st {};
        if (::fstat(fd_, &st) != 0) return FailErrno("fstat", path_, errno);
        return static_cast<uint64_t>(st.st_size);
    }

  private:
    base::Status WriteZerosTo(int fd, uint64_t size) {
        const size_t piece = std::min<uint64_t>(size, kZeroBytes);
        const std::unique_ptr<void, decltype(&std::free)> zeros(
            std::aligned_alloc(kPageBytes, (piece + kPageBytes - 1) / kPageBytes * kPageBytes),
            &std::free);
        std::memset(zeros.get(), 0, piece);
        for (uint64_t at = 0; at < size;) {
            const size_t n = std::min<uint64_t>(piece, size - at);
            const ssize_t written = ::pwrite(fd, zeros.get(), n, static_cast<off_t>(at));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0 && errno == EINVAL && fd != fd_) return WriteZerosTo(fd_, size);
            if (written < 0) return FailErrno("pwrite", path_, errno);
            at += static_cast<uint64_t>(written);
            // In pieces, so that a commit meanwhile never waits behind a whole segment of zeros.
            if (at % kZeroSyncBytes == 0 || at >= size) TRY(SyncData());
        }
        return {};
    }

    int fd_;
    std::string path_;
};

class PosixLock final : public FileLock {
  public:
    explicit PosixLock(int fd) : fd_(fd) {}
    ~PosixLock() override { ::close(fd_); }
    PosixLock(const PosixLock&) = delete;
    PosixLock& operator=(const PosixLock&) = delete;

  private:
    int fd_;
};

class Posix final : public FileSystem {
  public:
    base::Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
        int flags = O_CLOEXEC | (mode == OpenMode::kRead ? O_RDONLY : O_RDWR);
        if (mode == OpenMode::kCreate) flags |= O_CREAT | O_TRUNC;
        const int fd = ::open(path.c_str(), flags, 0600);
        if (fd < 0) return FailErrno("open", path, errno);
        return std::make_unique<PosixFile>(fd, path);
    }

    base::Status Rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) return FailErrno("rename", from, errno);
        return {};
    }

    base::Status Remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) return FailErrno("unlink", path, errno);
        return {};
    }

    base::Result<std::vector<std::string>> List(const std::string& directory) override {
        std::vector<std::string> names;
        std::error_code error;
        std::filesystem::directory_iterator at(directory, error);
        const std::filesystem::directory_iterator end;
        while (!error && at != end) {
            std::error_code ignored;  // A file that went away meanwhile is no file.
            if (at->is_regular_file(ignored)) names.push_back(at->path().filename().string());
            at.increment(error);
        }
        if (error) return FailErrno("list", directory, error.value());
        std::sort(names.begin(), names.end());
        return names;
    }

    base::Status CreateDirectory(const std::string& directory) override {
        const std::filesystem::path path(directory);
        std::error_code error;
        if (std::filesystem::is_directory(path, error)) return {};
        const std::string parent = path.parent_path().string();
        if (!parent.empty()) TRY(CreateDirectory(parent));
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
            return FailErrno("mkdir", directory, errno);
        }
        return SyncDirectory(parent.empty() ? "." : parent);
    }

    base::Status SyncDirectory(const std::string& directory) override {
        const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) return FailErrno("open", directory, errno);
        const int error = ::fsync(fd) == 0 ? 0 : errno;
        ::close(fd);
        if (error != 0) return FailErrno("fsync", directory, error);
        return {};
    }

    base::Result<uint64_t> FreeBytes(const std::string& directory) override {
        struct statvfs st {};
        if (::statvfs(directory.c_str(), &st) != 0) return FailErrno("statvfs", directory, errno);
        return static_cast<uint64_t>(st.f_bavail) * st.f_frsize;
    }

    base::Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) return FailErrno("open", path, errno);
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            ::close(fd);
            if (error != EWOULDBLOCK) return FailErrno("flock", path, error);
            return base::Fail(base::ErrorCode::kConflict, path + " is locked by another process");
        }
        return std::make_unique<PosixLock>(fd);
    }
};

}  // namespace

FileSystem* PosixFileSystem() {
    static Posix files;
    return &files;
}

base::Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path,
                                        uint64_t size_max) {
    TRY_ASSIGN(std::unique_ptr<File> file, files.Open(path, OpenMode::kRead));
    TRY_ASSIGN(const uint64_t size, file->Size());
    if (size > size_max) {
        return base::Fail(base::ErrorCode::kTooLarge,
                          path + " has " + std::to_string(size) + " bytes");
    }
    std::string bytes(size, '\0');
    TRY_ASSIGN(const size_t n, file->ReadAt(0, bytes.data(), size));
    bytes.resize(n);
    return bytes;
}

}  // namespace event_log
